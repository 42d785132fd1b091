//! The state of a watching page.

use mien_engine::Behind;

use crate::fault::Fault;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phase {
    Connecting,
    /// What arrives is not current.
    CatchingUp(Option<Behind>),
    Live,
    /// Connected, and nothing arrives.
    Quiet,
    Offline {
        since_ms: u64,
    },
    /// The session is completed; what it showed stays.
    Completed,
    Fault(Fault),
}

impl Phase {
    /// Whether the relay reports what happens.
    pub(super) fn is_connected(&self) -> bool {
        matches!(self, Self::CatchingUp(_) | Self::Live | Self::Quiet)
    }
}
