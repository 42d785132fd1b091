//! What the embedder holds of a run.

use std::rc::Rc;

use super::active::ActiveRun;
use super::event::EndReason;

/// A running source. Dropping it stops the source and releases the camera.
#[derive(Debug)]
pub struct Run {
    pub(super) active: Rc<ActiveRun>,
}

impl Run {
    /// Keeps the source open, but analyses nothing until [`Run::resume`].
    pub fn pause(&self) {
        self.active.set_paused(true);
    }

    pub fn resume(&self) {
        self.active.set_paused(false);
    }

    /// Id of the open camera, one of those that [`crate::devices`] lists; `None` for other sources.
    pub fn camera(&self) -> Option<String> {
        self.active.camera()
    }

    /// Ends the run and releases the camera before it returns.
    pub fn stop(self) {}
}

impl Drop for Run {
    fn drop(&mut self) {
        self.active.end(EndReason::Stopped);
    }
}
