//! What lets several relays over one database work as one.

mod cache;
mod parts;
mod poll;
pub mod redis;
mod revocations;
mod versions;

pub use cache::{Cache, Known};
pub(crate) use parts::Parts;
pub use parts::Replicas;
pub(crate) use redis::sessions::ChangeNotice;
