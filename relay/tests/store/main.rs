//! The store over SQLite and over Postgres: the same tests for both, and what each refuses to open.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod aging;
mod erasing;
mod files;
mod model;
mod place;
mod pooler;
mod postgres;
mod reading;
mod revocations;
mod sharing;
mod speed;
mod sqlite;
mod versions;
