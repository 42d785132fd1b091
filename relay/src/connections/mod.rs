//! HTTP connections, until they end or become WebSockets: which are kept, which close when there are too many, how long
//! each may take.
//!
//! Every connection is accepted. What is bounded is how many wait without a complete request (the oldest closes), and
//! how many requests are under way, of one client and in all (the next wait in a queue). Health is answered whatever
//! else there is. No peer holds a place for nothing: a request has its time to arrive, and an answer a minimum speed.

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
