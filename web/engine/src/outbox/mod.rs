//! From analysed frames to samples that the relay has stored.

pub(crate) mod database;
pub(crate) mod ledger;
mod recorder;
pub(crate) mod sender;
mod skips;
mod status;

pub use recorder::{Recorder, discard, unfinished, unsent};
pub use status::{
    LinkEnd, LinkState, MemoryReason, RecorderEvent, RecorderStatus, SessionAccess, StorageMode, Unfinished,
};
