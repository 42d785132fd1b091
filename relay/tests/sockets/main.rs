//! The WebSockets of a real relay over loopback and a real SQLite file: the contract's fine print, rule by
//! rule.

mod closes;
mod harness;
mod ingest;
mod restart;
mod store;
mod throttle;
mod upgrade;
mod watch;
