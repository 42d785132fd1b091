//! What a place of the pool holds: its worker, and what that has yet to answer.

use crate::browser::worker::{LandmarkBuffers, WorkerPort};
use crate::clock::Steady;

#[derive(Default)]
pub(super) struct WorkerSlot {
    pub(super) port: Option<WorkerPort>,
    /// `None` once it is ready, and while it is known why it is not.
    pub(super) starting_since: Option<Steady>,
    /// It was sent the models for landmarks and has not answered yet.
    pub(super) awaits_landmarks: bool,
}

impl WorkerSlot {
    /// Sends the models for landmarks to a worker that has started, or takes them away; the others get them then.
    pub(super) fn give_landmarks(&mut self, models: Option<&LandmarkBuffers>) -> Result<(), String> {
        let (None, Some(port)) = (self.starting_since, &self.port) else { return Ok(()) };
        self.awaits_landmarks = models.is_some();
        port.set_landmarks(models)
    }
}
