//! Redis or Valkey: what relays over one database share, so that they work as one.
//!
//! It is optional. Nothing that must be right is decided here, no ack waits for it, and a caller that waits for an
//! answer waits for 25 ms at most: then Redis counts as away, everyone continues without it at once, and a probe in the
//! background finds out when it is back. What is lost meanwhile is read from the store instead.
//!
//! The client is `redis` 1.8 (redis-rs): maintained by several people and released monthly, where `fred`, the
//! other one considered, has had no release for over a year.

pub(super) mod bridge;
pub(super) mod client;
mod exchange;
mod keys;
pub(super) mod limits;
pub(super) mod link_state;
mod message;
mod pending_changes;
mod pool;
mod probe;
pub(super) mod publisher;
mod scripts;
pub(super) mod seal;
pub(super) mod sessions;
mod subscriber;
mod trial;
mod window;

pub use client::Redis;
pub use seal::Seal;
