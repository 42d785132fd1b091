//! HTTP connections, until they end or become WebSockets: which are kept, which close when there are too many, how long
//! each may take.
//!
//! Every connection is accepted. There are limits on how many wait without a complete request (the oldest closes), and
//! on how many requests are in progress, per client and in total (further ones wait in a queue). Health checks are
//! answered whatever the load. No peer holds a place for nothing: a request has limited time to arrive, and an answer
//! has a minimum speed.

mod accept;
mod accept_failures;
mod base_path;
mod body;
pub mod client;
mod connection;
mod file_descriptors;
mod pace;
mod registry;
mod requests;
mod stream;
mod table;
mod tracked;

pub(crate) use accept::{Served, accept};
pub(crate) use file_descriptors::fit;
pub(crate) use tracked::Tracked;
