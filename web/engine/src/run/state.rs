//! Where a run stands, and what it keeps with each frame.

use super::account::Stamp;
use super::slot::RequestId;
use crate::clock::Captured;

/// What a run knows of a frame when it is captured, and gets back with the answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameTag {
    pub(super) run: RequestId,
    pub(super) captured: Captured,
    /// Position in the file, milliseconds.
    pub(super) media_ms: Option<u64>,
    /// In the run's account of time; a picture has none.
    pub(super) stamp: Option<Stamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Running,
    /// No more frames will come; the run ends once the last is answered.
    Finishing,
    Ended,
}
