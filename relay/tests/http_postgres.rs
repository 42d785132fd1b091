//! Those suites of `http` that read and write the store, over Postgres.
#![allow(clippy::unwrap_used, reason = "a test ends where its ground gives way")]

#[path = "http/errors.rs"]
mod errors;
#[path = "http/export.rs"]
mod export;
#[path = "http/samples.rs"]
mod samples;
#[path = "http/sessions.rs"]
mod sessions;
#[allow(dead_code, reason = "some helpers are for the other suites")]
#[path = "http/support.rs"]
mod support;
