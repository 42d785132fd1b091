//! The HTTP interface, word for word, over the real router, a real loopback listener and real SQLite.

mod contract;
mod errors;
mod export;
mod limits;
mod origins;
mod page;
mod samples;
mod sessions;
mod support;
