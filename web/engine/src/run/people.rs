//! Whose face each detection is, and the neutral faces of these people while they are taken.

use std::time::Duration;

use mien_models::{Detection, Tracker};
use mien_shared::Face;

use super::calibration::{Calibration, CalibrationEnd, CalibrationState, Step};

#[derive(Debug)]
pub(super) struct People {
    tracker: Tracker,
    /// While neutral faces are being taken.
    calibration: Option<Calibration>,
}

impl People {
    pub(super) fn new(tracker: Tracker) -> Self {
        Self { tracker, calibration: None }
    }

    pub(super) fn next_id(&self) -> u32 {
        self.tracker.next_id()
    }

    /// The faces of the next frame, and where taking neutral faces stands, if they are being taken. Those of this frame
    /// are compared from the next one on.
    pub(super) fn update(
        &mut self,
        captured: Duration,
        detections: &[Detection],
    ) -> (Vec<Face>, Option<CalibrationState>) {
        let Some(calibration) = &mut self.calibration else {
            return (self.tracker.update(captured, detections), None);
        };
        let mut seen = Vec::new();
        let faces = self.tracker.update_and_tell(captured, detections, &mut |id, detection| {
            seen.push((id, detection));
        });
        let Step { taken, state } = calibration.frame(captured, &seen);
        for (id, neutral) in taken {
            self.tracker.set_neutral(id, Some(neutral));
        }
        if matches!(state, CalibrationState::Ended(_)) {
            self.calibration = None;
        }
        (faces, Some(state))
    }

    /// Begins to take neutral faces, from the beginning if that is in progress. Those that were taken before remain
    /// until there are new ones.
    pub(super) fn calibrate(&mut self) -> Option<CalibrationState> {
        let cancelled = self.cancel_calibration();
        self.calibration = Some(Calibration::default());
        cancelled
    }

    pub(super) fn cancel_calibration(&mut self) -> Option<CalibrationState> {
        self.calibration.take().map(|_| CalibrationState::Ended(CalibrationEnd::Cancelled))
    }

    pub(super) fn forget_neutrals(&mut self) {
        self.tracker.forget_neutrals();
    }
}
