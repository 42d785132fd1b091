//! The connection of a watcher.

mod connection;
mod lag;
mod open;
mod portions;
mod progress;

pub(super) use open::serve;
