//! The connection of a source.

mod connection;
mod open;
mod read;
mod throttle;

pub(super) use open::serve;
