//! The WebSockets of a real relay over loopback and a real SQLite file: the contract's fine print, rule by
//! rule. `MIEN_TESTS_OVER=postgres` runs it over Postgres.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod closes;
mod documented;
mod expiry;
mod ingest;
mod model;
mod process;
mod quotas;
mod replicas;
mod restart;
mod secrets;
mod strangers;
mod throttle;
mod traces;
mod upgrade;
mod watch;
