//! How a connection ends.

use std::time::Duration;

use mien_shared::problem::CloseCode;

use super::wire::{Gone, Wire};
use crate::limits::PendingSlot;

/// Time for the close frame of an evicted connection to be sent.
const EVICTION_TIMEOUT: Duration = Duration::from_millis(250);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With a close frame.
    Close(CloseCode),
    /// The peer closed first, or the connection broke.
    Gone,
    /// It has not said hello, and another needs its slot.
    Evicted,
}

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl End {
    pub(super) async fn carry_out(self, wire: Wire) {
        match self {
            Self::Close(code) => wire.close(code).await,
            Self::Gone => wire.finish_close().await,
            // Hardly waits: there must not be more of these than there are slots.
            Self::Evicted => {
                let _ = tokio::time::timeout(EVICTION_TIMEOUT, wire.close(CloseCode::AtCapacity)).await;
            }
        }
    }

    /// The same for a connection that may still hold its slot: it keeps it until it is gone, or another needs it.
    pub(super) async fn carry_out_pending(self, slot: &PendingSlot, wire: Wire) {
        if self == Self::Evicted {
            self.carry_out(wire).await;
        } else {
            let _ = slot.while_kept(self.carry_out(wire)).await;
        }
    }
}
