//! What the embedder holds of a run.

use std::rc::Rc;

use super::active::ActiveRun;
use super::event::EndReason;
use super::left_out::LeftOutFace;
use super::people::People;

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

    /// Takes the own neutral face of everyone in view, anew if that was done or is in progress: three seconds of looking
    /// at the camera, the face relaxed. [`super::RunEvent::Calibration`] says how it goes; then these faces are compared
    /// with it for as long as they are followed. False, and nothing follows, if the run has ended.
    pub fn calibrate(&self) -> bool {
        self.active.with_people(People::calibrate)
    }

    /// Neutral faces that were taken before remain.
    pub fn cancel_calibration(&self) {
        self.active.with_people(People::cancel_calibration);
    }

    /// No face is compared with its own neutral one any more, until the next calibration.
    pub fn reset_neutral(&self) {
        self.active.with_people(|people| {
            people.forget_neutrals();
            None
        });
    }

    /// Ends the run and releases the camera before it returns.
    pub fn stop(self) {}
}

impl Drop for Run {
    fn drop(&mut self) {
        self.active.end(EndReason::Stopped);
    }
}
