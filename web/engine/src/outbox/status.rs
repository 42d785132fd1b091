//! What a recorder reports.

use mien_shared::Code;

use super::storage::StorageMode;
use crate::link::{LinkEnd, Trouble};

/// State of the link to the relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    Connecting,
    Live,
    /// The relay asked for a pause; sending resumes automatically.
    Throttled {
        retry_in_ms: u32,
    },
    /// Reconnects automatically.
    Offline {
        retry_in_ms: u32,
    },
    /// Over for good: connecting again would give the same answer.
    Ended(LinkEnd),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecorderStatus {
    pub link: LinkState,
    /// What keeps it from the relay, if that is known, until it is connected. It keeps trying.
    pub trouble: Option<Trouble>,
    /// Samples without an ack yet.
    pub pending: u64,
    /// The relay has answered for every sample up to this seq.
    pub stored_through: u64,
    /// Bytes of every socket message sent, including the greeting.
    pub bytes_sent: u64,
    pub mode: StorageMode,
    /// Samples for which there was no room, in memory or in the queue of a disk that did not keep up.
    pub dropped: u64,
    /// Samples that the relay refused.
    pub rejected: u64,
}

impl RecorderStatus {
    /// Without countdowns, which alone are not worth reporting.
    pub(super) fn without_countdown(&self) -> Self {
        let link = match &self.link {
            LinkState::Offline { .. } => LinkState::Offline { retry_in_ms: 0 },
            LinkState::Throttled { .. } => LinkState::Throttled { retry_in_ms: 0 },
            other => other.clone(),
        };
        Self { link, ..self.clone() }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum RecorderEvent {
    /// Something in it changed; at most about ten times per second except for changes of the link.
    Status(RecorderStatus),
    /// The relay refused this sample for good.
    Rejected { seq: u64, code: Code, detail: String },
    /// The token is about to expire: [`super::Recorder::renew`] takes another. Repeated until there is one.
    TokenExpiring,
}
