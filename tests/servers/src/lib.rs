//! Real Postgres and Redis servers, and PgBouncer in front of one, for tests and benchmarks: each on a free port of
//! this machine, in a folder of its own, gone with the process that started it, even if that was killed.
//!
//! The programs are Debian's (or any others on the path). If one is missing, its test is skipped by name, and fails
//! with `CI` set: see [`missing`].

mod folder;
pub mod missing;
mod pgbouncer;
mod postgres;
mod program;
mod redis;
mod server;
mod user;

pub use pgbouncer::PgBouncer;
pub use postgres::{Postgres, postgres_programs};
pub use redis::Redis;
