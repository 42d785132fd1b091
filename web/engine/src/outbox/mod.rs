//! From analysed frames to samples that the relay has stored.
//!
//! `ledger` numbers the samples and never uses a number twice, even across a crash; `storage` says whether they wait on
//! the disk or in memory; `sender` is the pure machine that decides what is sent when, and its `writer` what is written; `database` keeps the
//! samples in IndexedDB; `recorder` joins these. Pixels are unknown here.

mod access;
mod batch;
mod cache;
mod credential;
pub(crate) mod database;
mod effect;
mod flow;
pub(crate) mod ledger;
mod recorder;
mod sender;
mod skips;
mod status;
pub(crate) mod storage;
mod writer;

pub use access::{SessionAccess, Unfinished};
pub use recorder::{Recorder, discard, unfinished, unsent};
pub use status::{LinkState, RecorderEvent, RecorderStatus};
pub use storage::StorageMode;
