//! The WebSocket messages of `mien.v1`, and how the relay reads what a client sends.

mod ingest;
mod read;
#[cfg(test)]
mod tests;
mod watch;

pub use ingest::{IngestLimits, IngestReply, IngestRequest, IngestWelcome};
pub use read::{IngestMessage, MessageFault, RefusedSample, WatchHello, read_ingest, read_watch};
pub use watch::{WatchReply, WatchRequest, WatchWelcome};

pub const SUBPROTOCOL: &str = "mien.v1";
