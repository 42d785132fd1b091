//! A relay in the test's own process, on a loopback listener and a real store, and clients of it. Everything that it
//! says over HTTP or a socket is checked against the documents that it serves.
//!
//! Separate from `mien-kit`, so that what only starts processes is not recompiled with the relay.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

pub mod client;
pub mod conformance;
pub mod document;
pub mod http;
pub mod lock;
pub mod relay;
pub mod samples;
mod wait;

pub use mien_kit::http::{Answer, request};
pub use mien_kit::relay::SECRET;
pub use relay::{FUTURE, Relay};
pub use wait::{patiently, until};
