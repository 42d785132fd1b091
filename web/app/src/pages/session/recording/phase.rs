//! The phase of a recording.

use mien_shared::api::Summary;

use crate::fault::Fault;

/// One at a time, so that no two views of a recording can be open at once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Phase {
    /// The relay is asked whether the session is still active.
    LookingUp,
    /// The person in this tab has not agreed to this session yet.
    Consent,
    /// Engine and source are being opened; the text says which.
    Opening(&'static str),
    Live,
    Paused,
    /// The camera is off; the last samples are being sent.
    Finishing,
    Stopped(Outcome),
    Fault(Fault),
}

impl Phase {
    /// From then on the stop decides what becomes of the link.
    pub(crate) const fn is_after_stop(&self) -> bool {
        matches!(self, Self::Finishing | Self::Stopped(_))
    }
}

/// What the relay has of a recording that was stopped, or why that is not known.
pub(crate) type Outcome = Result<Summary, NoSummary>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoSummary {
    /// Samples were left when the time for sending them was up. The session is active, and they are still being sent.
    Unsent,
    /// Everything is stored, and the relay did not complete the session; the text says why.
    NotCompleted(String),
    /// The session is completed, and the relay did not give its summary; the text says why.
    NotLoaded(String),
}
