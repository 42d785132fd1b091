//! From analysed frames to samples that the relay has stored.

use mien_shared::problem::CloseCode;
use mien_shared::{Code, Face, SessionId, SourceName};
use serde::{Deserialize, Serialize};

/// What a recorder needs to know; kept beside the samples, so that a later visit can send what is left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionAccess {
    pub session: SessionId,
    pub source: SourceName,
    /// An `ingest` token of this source, or the session's `owner` token.
    pub ingest_token: String,
    /// For example `https://mien.example`; [`crate::page_origin`] where the page comes from the relay.
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
    /// Samples without an ack yet.
    pub pending: u64,
    /// The relay has answered for every sample up to this seq.
    pub stored_through: u64,
    /// Bytes of every socket message sent, hello included.
    pub bytes_sent: u64,
    pub mode: StorageMode,
    /// Samples that memory had no room for.
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
}

/// A source of this device whose samples wait for the relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    pub access: SessionAccess,
    pub pending: u64,
}

/// Sends samples to the relay and keeps each until it is acked. Dropping it closes the link; what is not acked
/// stays on the disk for the next visit.
#[derive(Clone, Debug)]
pub struct Recorder {
    status: std::rc::Rc<std::cell::RefCell<RecorderStatus>>,
}

impl Recorder {
    /// Opens the outbox of this session and source, takes it over from any other tab, and connects.
    /// Never fails: without a disk it records in memory and says so.
    pub async fn open(access: SessionAccess, on: impl Fn(RecorderEvent) + 'static) -> Self {
        let _ = (access, on);
        Self {
            status: std::rc::Rc::new(std::cell::RefCell::new(RecorderStatus {
                link: LinkState::Connecting,
                pending: 0,
                stored_through: 0,
                bytes_sent: 0,
                mode: StorageMode::Disk,
                dropped: 0,
                rejected: 0,
            })),
        }
    }

    /// Records what one frame showed. `at_ms` is the frame's capture time. Faces over the contract's limit
    /// are left out, the largest are kept.
    pub fn push(&self, at_ms: u64, faces: &[Face]) {
        let _ = (at_ms, faces);
    }

    pub fn status(&self) -> RecorderStatus {
        self.status.borrow().clone()
    }

    /// Resolves when the relay has answered for every sample, or the link has ended for good, or `patience_ms`
    /// have passed. Then the link is closed. True when nothing is pending.
    pub async fn complete(&self, patience_ms: u32) -> bool {
        let _ = patience_ms;
        self.status.borrow().pending == 0
    }

    /// Closes the link at once. What is not acked stays on the disk.
    pub fn close(&self) {}
}

/// Every source of this device with samples that the relay has not acked, for an app to resume with
/// [`Recorder::open`]. Empty where there is no IndexedDB.
pub async fn unfinished() -> Vec<Unfinished> {
    Vec::new()
}

/// Forgets what waits for this session, for example because it was erased.
pub async fn discard(session: SessionId) {
    let _ = session;
}
