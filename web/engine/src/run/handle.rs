//! What the embedder holds of a run.

use std::rc::Rc;

use super::active::ActiveRun;
use super::event::EndReason;
use super::left_out::LeftOutFace;

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

    /// Leaves a face of the newest frame out of every later one, for as long as it is followed, and when it comes back
    /// soon after to the same place with the same size; what kept still keeps its place. False if there is no such face.
    pub fn leave_out(&self, id: u32) -> bool {
        self.active.left_out.borrow_mut().leave_out(id)
    }

    /// Undoes [`Run::leave_out`] of this identity. False if that was not left out.
    pub fn bring_back(&self, id: u32) -> bool {
        self.active.left_out.borrow_mut().bring_back(id)
    }

    /// The faces that are left out, the latest last.
    pub fn left_out(&self) -> Vec<LeftOutFace> {
        self.active.left_out.borrow().faces()
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
