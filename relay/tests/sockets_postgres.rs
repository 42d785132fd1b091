//! The suite of `sockets` over Postgres.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "sockets/closes.rs"]
mod closes;
#[path = "sockets/harness.rs"]
mod harness;
#[path = "sockets/ingest.rs"]
mod ingest;
#[path = "sockets/model.rs"]
mod model;
#[path = "sockets/replicas.rs"]
mod replicas;
#[path = "sockets/throttle.rs"]
mod throttle;
#[path = "sockets/upgrade.rs"]
mod upgrade;
#[path = "sockets/watch.rs"]
mod watch;
