//! The HTTP interface: sessions, samples, exports, markers, operation, the contract, and the page.
//!
//! Handlers say what is asked of the store. Extractors ([`caller`]) decide who may ask before they run, and [`problem`]
//! how a failure looks after.

mod admit;
mod asyncapi;
mod body;
mod caller;
pub mod chunks;
mod contract;
mod csv;
mod cursor;
mod export;
mod gaps;
mod instrument;
mod limit;
mod markers;
mod openapi;
mod ops;
pub mod origin;
pub mod page;
pub mod problem;
mod query;
mod read_slot;
pub(crate) mod request_id;
pub mod router;
mod routes;
mod samples;
mod security;
pub mod series;
mod sessions;
mod summary;
mod text;
mod tokens;
