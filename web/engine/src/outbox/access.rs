//! Which source of which session samples belong to, and how they reach the relay.

use mien_shared::{SessionId, SourceName};
use serde::{Deserialize, Serialize};

/// What a recorder needs to know; kept beside the samples, so that a later visit can send what is left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionAccess {
    pub session: SessionId,
    pub source: SourceName,
    /// An `ingest` token of this source, or the session's `owner` token.
    pub ingest_token: String,
    /// For example `https://mien.example`, including the path under which the relay is served, if there is one;
    /// [`crate::sockets_base`] if the page comes from the relay.
    pub relay_origin: String,
}

/// A source of this device whose samples wait for the relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    pub session: SessionId,
    pub source: SourceName,
    /// `None` if only the samples are there, and nothing says any more where they belong.
    pub access: Option<SessionAccess>,
    pub pending: u64,
    /// When a recorder last wrote for it, Unix milliseconds. One that is recording does so all the time.
    pub touched_ms: u64,
}
