//! Taking the own neutral face of everyone in view: which looks count, how many are missing, and what is wrong now.
//! Pure: it is told what each frame shows and when that was captured.

mod look;
mod progress;

use std::time::Duration;

use mien_models::tracker::LOST_AFTER;
use mien_models::{Detection, Neutral};

use self::look::FaceLooks;
use self::progress::LONGEST_FRAME;
pub use self::progress::{FaceProgress, Obstacle};

/// A step takes no longer than this, so that whoever cannot be seen well enough does not wait in vain.
const GIVE_UP: Duration = Duration::from_secs(20);
/// How long the others have once the first face is taken.
const OTHERS: Duration = Duration::from_secs(6);

/// Where taking the neutral faces stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CalibrationState {
    /// The faces that are followed, in the order of their identities; with each analysed frame.
    Taking(Vec<FaceProgress>),
    /// Once, at the end, unless the run ends first.
    Ended(CalibrationEnd),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CalibrationEnd {
    /// At least one face is compared with its own neutral one from now on.
    Taken(Vec<NeutralTaken>),
    /// No face gave enough good looks. What was wrong last; `None` if nobody was in view.
    NotTaken(Option<Obstacle>),
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeutralTaken {
    pub face: u32,
    pub looks: u32,
}

/// What a frame has changed.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) taken: Vec<(u32, Neutral)>,
    pub(super) state: CalibrationState,
}

#[derive(Debug, Default)]
pub(super) struct Calibration {
    /// Those in view, or out of it for less than [`LOST_AFTER`].
    faces: Vec<FaceLooks>,
    spent: Duration,
    newest: Option<Duration>,
    /// When the first face was taken, in time spent.
    first_taken: Option<Duration>,
}

impl Calibration {
    /// The faces of the next frame, with their identities.
    pub(super) fn frame(&mut self, captured: Duration, seen: &[(u32, &Detection)]) -> Step {
        let passed = self.newest.map_or(Duration::ZERO, |newest| captured.saturating_sub(newest));
        self.newest = self.newest.max(Some(captured));
        self.spent += passed.min(LONGEST_FRAME);
        let mut taken = Vec::new();
        for &(id, detection) in seen {
            let known = self.faces.binary_search_by_key(&id, |face| face.id);
            let index = known.unwrap_or_else(|index| {
                self.faces.insert(index, FaceLooks::new(id, captured));
                index
            });
            taken.extend(self.faces[index].look(captured, detection).map(|neutral| (id, neutral)));
        }
        self.faces.retain(|face| captured.saturating_sub(face.seen_at) <= LOST_AFTER);
        if !taken.is_empty() {
            self.first_taken.get_or_insert(self.spent);
        }
        let state = match self.end() {
            Some(end) => CalibrationState::Ended(end),
            None => CalibrationState::Taking(self.faces.iter().map(FaceLooks::progress).collect()),
        };
        Step { taken, state }
    }

    fn end(&self) -> Option<CalibrationEnd> {
        let is_complete = !self.faces.is_empty() && self.faces.iter().all(|face| face.taken.is_some());
        let is_over = self.spent >= GIVE_UP || self.first_taken.is_some_and(|at| self.spent >= at + OTHERS);
        if !is_complete && !is_over {
            return None;
        }
        let taken: Vec<_> = self
            .faces
            .iter()
            .filter_map(|face| face.taken.map(|looks| NeutralTaken { face: face.id, looks }))
            .collect();
        Some(if taken.is_empty() {
            CalibrationEnd::NotTaken(self.faces.first().map(FaceLooks::hindered_by))
        } else {
            CalibrationEnd::Taken(taken)
        })
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
