//! The relay: authenticates, stores and passes on expression samples.
//!
//! Data goes one way: socket → limiter → batcher → store → hub → watchers. Only an ack comes back, and only
//! after the commit. No type in here can hold a pixel.
#![forbid(unsafe_code)]

pub mod app;
pub mod auth;
mod base_path;
pub mod batcher;
pub mod cache;
pub mod config;
mod connections;
pub mod http;
pub mod hub;
pub mod limiter;
pub mod mailbox;
pub mod observe;
pub mod origin;
pub mod page;
pub mod peer;
pub mod probe;
pub mod problem;
pub mod readiness;
pub mod reads;
pub mod redis;
pub mod replicas;
pub mod retention;
pub mod series;
pub mod serve;
pub mod shutdown;
pub mod socket;
pub mod store;
pub mod turns;
pub mod wall;
