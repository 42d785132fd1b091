//! From analysed frames to samples that the relay has stored.
//!
//! `ledger` numbers them, `sender` decides what is written and sent when, `driver` joins that with the disk and
//! the socket. Pixels are unknown here.

use mien_shared::problem::CloseCode;
use mien_shared::{Code, SessionId, SourceName};
use serde::{Deserialize, Serialize};

use crate::link::Trouble;

/// What a recorder needs to know; kept beside the samples, so that a later visit can send what is left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionAccess {
    pub session: SessionId,
    pub source: SourceName,
    /// An `ingest` token of this source, or the session's `owner` token.
    pub ingest_token: String,
    /// For example `https://mien.example`, with the path under which it is served, where there is one;
    /// [`crate::sockets_base`] where the page comes from the relay.
    pub relay_origin: String,
}

/// Where the link to the relay stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    Connecting,
    Live,
    /// The relay asked for a pause; it goes on by itself.
    Throttled {
        retry_in_ms: u32,
    },
    /// Connects again by itself.
    Offline {
        retry_in_ms: u32,
    },
    /// Over for good: connecting again would give the same answer.
    Ended(LinkEnd),
}

/// Why a link does not connect again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkEnd {
    /// [`Recorder::complete`] is through.
    Done,
    /// The relay closed it for good.
    Closed(CloseCode),
    /// Another tab records this source now.
    TakenOver,
}

/// Why samples are kept in memory only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryReason {
    /// No IndexedDB: private mode, or switched off.
    Unavailable,
    /// The disk, or this site's share of it, is full.
    DiskFull,
    /// Reading or writing failed.
    Broken,
}

/// Where samples wait for their ack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageMode {
    /// IndexedDB: a reload or a crash loses nothing.
    Disk,
    /// Memory: closing the page loses what is not acked. The newest are kept; `dropped` counts the others.
    Memory { why: MemoryReason },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecorderStatus {
    pub link: LinkState,
    /// What keeps it from the relay, where that is known; it goes on trying. Until it is connected.
    pub trouble: Option<Trouble>,
    /// Samples without an ack yet.
    pub pending: u64,
    /// The relay has answered for every sample up to this seq.
    pub stored_through: u64,
    /// Bytes of every socket message sent, hello included.
    pub bytes_sent: u64,
    pub mode: StorageMode,
    /// Samples that had no room: in memory, or in the queue before a disk that did not keep up.
    pub dropped: u64,
    /// Samples that the relay refused.
    pub rejected: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub enum RecorderEvent {
    /// Something in it changed; comes at most about ten times a second but for changes of the link.
    Status(RecorderStatus),
    /// The relay refused this sample for good.
    Rejected { seq: u64, code: Code, detail: String },
    /// The token is near its end: [`Recorder::renew`] takes another. Told again until there is one.
    WantsToken,
}

/// A source of this device whose samples wait for the relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    pub session: SessionId,
    pub source: SourceName,
    /// `None` where the samples alone are there: nothing says any more where they belong.
    pub access: Option<SessionAccess>,
    pub pending: u64,
    /// When a recorder last wrote for it, Unix milliseconds. One that records does so all the time.
    pub touched_ms: u64,
}
