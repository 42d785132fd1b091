//! The relay: authenticates, stores and passes on expression samples.
//!
//! Data flows one way: socket → limiter → batcher → store → hub → watchers. Only an ack comes back, and only after the
//! commit. No type in here can hold a pixel.
//!
//! Modules import downwards only: cli and serve; router; socket and http; lifecycle; app; ingest and replicas; live;
//! store; limits; auth; observe and config.
#![forbid(unsafe_code)]

pub mod app;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod connections;
pub mod drain;
pub mod http;
pub mod ingest;
pub mod lifecycle;
pub mod limits;
pub mod live;
pub mod observe;
pub mod replicas;
pub mod router;
pub mod serve;
pub mod socket;
pub mod store;
