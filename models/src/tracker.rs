//! From detections to faces over time: a stable identity for each face, scores without flicker, boxes without jitter.
//! Deterministic: the caller supplies the time. Runs no network and extrapolates nothing: a face that the frame does
//! not show is not in the answer.

use std::time::Duration;

use mien_shared::limits::MAX_FACES;
use mien_shared::{Face, FaceBox};

use crate::association::associate;
use crate::blazeface::Candidate;
use crate::detection::{Detection, valid_box};
use crate::expression::Neutral;
use crate::landmarks::Outline;
pub use crate::pace::LOST_AFTER;
use crate::pace::Pace;
use crate::steady::MAX_EXPECTED;
use crate::track::Track;
pub use crate::track::{RawFace, SCORE_TIME_CONSTANT};

/// A face that a detector has missed for this long is still expected where it was.
const EXPECTED_FOR: Duration = Duration::from_millis(300);
/// Faces remembered at once: all that are in view, and as many again that have just left.
const MAX_TRACKS: usize = 2 * MAX_FACES;

/// Follows the faces of one source.
///
/// Identities count from 1 and are never reused. (They would wrap after 2^32 faces; at ten new faces a second that is
/// thirteen years.)
#[derive(Clone, Debug)]
pub struct Tracker {
    tracks: Vec<Track>,
    next_id: u32,
    pace: Pace,
}

/// The lines of one face, for drawing.
#[derive(Clone, Debug, PartialEq)]
pub struct FaceOutline {
    /// Identity of the face.
    pub face: u32,
    pub outline: Outline,
}

impl Default for Tracker {
    fn default() -> Self {
        Self::new()
    }
}

impl Tracker {
    pub fn new() -> Self {
        Self::resume(1)
    }

    /// Continues after a reload of the page: identities start at `next_id`, so that no new face gets the identity of
    /// one of the session's earlier faces.
    pub fn resume(next_id: u32) -> Self {
        Self { tracks: Vec::new(), next_id: next_id.max(1), pace: Pace::default() }
    }

    /// The identity that the next new face will get: keep it for [`Tracker::resume`].
    pub fn next_id(&self) -> u32 {
        self.next_id
    }

    /// The faces of the next frame, in the order of their identities. `captured` is the capture time on a monotonic
    /// clock, from any starting point, or the position in a file: a wall clock that is set would take a face for a new
    /// one, or freeze its scores for a frame. If time goes backwards, no time is taken to have passed. Takes the
    /// [`MAX_FACES`] largest detections; invalid faces (a box without area, scores that are not numbers) are left out.
    pub fn update(&mut self, captured: Duration, detections: &[Detection]) -> Vec<Face> {
        self.update_and_tell(captured, detections, &mut |_, _| {})
    }

    /// The same; also tells which detection is whose.
    pub fn update_and_tell<'a>(
        &mut self,
        captured: Duration,
        detections: &'a [Detection],
        tell: &mut dyn FnMut(u32, &'a Detection),
    ) -> Vec<Face> {
        let (elapsed, lost_after) = self.pace.next(captured);
        for track in &mut self.tracks {
            track.motion.unseen += elapsed;
            track.is_in_frame = false;
        }
        self.tracks.retain(|track| track.motion.unseen <= lost_after);
        let detections = usable(detections);
        let boxes: Vec<FaceBox> = detections.iter().map(|(bounds, _)| *bounds).collect();
        let known = associate(self.tracks.iter().map(|track| &track.motion), &boxes);
        let mut faces: Vec<Face> = known
            .into_iter()
            .zip(&detections)
            .map(|(known, (bounds, detection))| {
                let track = match known {
                    Some(index) => {
                        let track = &mut self.tracks[index];
                        track.follow(captured, *bounds, detection);
                        track
                    }
                    None => self.begin(captured, *bounds, detection),
                };
                tell(track.id, detection);
                track.face(captured)
            })
            .collect();
        faces.sort_by_key(|face| face.id);
        self.forget_oldest();
        faces
    }

    /// The outlines of the faces that the last frame showed, if landmarks are looked for. `captured` is its time.
    pub fn outlines(&self, captured: Duration) -> Vec<FaceOutline> {
        let shown = self.tracks.iter().filter(|track| track.is_in_frame);
        shown
            .filter_map(|track| {
                let outline = track.landmarks.outline(captured, track.motion.seen)?;
                Some(FaceOutline { face: track.id, outline })
            })
            .collect()
    }

    /// From now on the scores of this face are compared with the person's own neutral one, or no longer. Without effect
    /// if the identity is not followed any more.
    pub fn set_neutral(&mut self, id: u32, neutral: Option<Neutral>) {
        if let Some(track) = self.tracks.iter_mut().find(|track| track.id == id) {
            track.neutral = neutral;
        }
    }

    /// No face is compared with the person's own neutral one any more.
    pub fn forget_neutrals(&mut self) {
        for track in &mut self.tracks {
            track.neutral = None;
        }
    }

    /// What the newest frame alone says of its faces, in the order of their identities.
    pub fn raw(&self) -> Vec<RawFace> {
        self.tracks.iter().filter(|track| track.is_in_frame).map(|track| track.newest).collect()
    }

    /// Where faces are expected in the next frame, the largest first and at most [`MAX_EXPECTED`]: for
    /// [`crate::Analyzer::analyze_expecting`].
    pub fn expected(&self) -> Vec<Candidate> {
        let is_expected = |track: &&Track| track.is_in_frame || track.motion.unseen <= EXPECTED_FOR;
        let mut expected: Vec<Candidate> =
            self.tracks.iter().filter(is_expected).map(|track| track.steady.clone()).collect();
        let area = |face: &Candidate| face.bounds.width * face.bounds.height;
        expected.sort_by(|a, b| area(b).total_cmp(&area(a)));
        expected.truncate(MAX_EXPECTED);
        expected
    }

    fn begin(&mut self, captured: Duration, bounds: FaceBox, detection: &Detection) -> &mut Track {
        let id = self.next_id;
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        self.tracks.push(Track::begun(id, captured, bounds, detection));
        let last = self.tracks.len() - 1;
        &mut self.tracks[last]
    }

    fn forget_oldest(&mut self) {
        while self.tracks.len() > MAX_TRACKS {
            let unseen = |(_, track): &(usize, &Track)| std::cmp::Reverse(track.motion.unseen);
            let Some((index, _)) = self.tracks.iter().enumerate().min_by_key(unseen) else { return };
            self.tracks.remove(index);
        }
    }
}

/// Valid detections with their boxes as the contract allows them; the largest ones if there are too many.
fn usable(detections: &[Detection]) -> Vec<(FaceBox, &Detection)> {
    let mut usable: Vec<_> = detections
        .iter()
        .filter(|detection| {
            let sum: f32 = detection.scores.0.iter().sum();
            sum.is_finite() && sum > 0.0 && detection.scores.0.iter().all(|score| *score >= 0.0)
        })
        .filter(|detection| detection.quality.is_finite())
        .filter_map(|detection| Some((valid_box(detection.bounds)?, detection)))
        .collect();
    if usable.len() > MAX_FACES {
        usable.sort_by(|(a, _), (b, _)| (b.width * b.height).total_cmp(&(a.width * a.height)));
        usable.truncate(MAX_FACES);
    }
    usable
}

#[cfg(test)]
#[path = "tracker_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "smoothing_tests.rs"]
mod smoothing_tests;
