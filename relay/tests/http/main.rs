//! The HTTP interface, word for word, over the real router, a real loopback listener and real SQLite.
//! `MIEN_TESTS_OVER=postgres` runs it over Postgres.
#![allow(clippy::unwrap_used, reason = "a test ends where its ground gives way")]

mod base_path;
mod connections;
mod documents;
mod errors;
mod export;
mod gaps;
mod limits;
mod measured;
mod metrics;
mod origins;
mod page;
mod queries;
mod quotas;
mod readiness;
mod reads;
mod reference;
mod retention;
mod samples;
mod sessions;
mod tokens;
