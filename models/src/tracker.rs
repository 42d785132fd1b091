//! From detections to faces over time: a stable identity for each face, scores without flicker, boxes without jitter.
//! Deterministic: the caller supplies the time. Runs no network and extrapolates nothing: a face that the frame does
//! not show is not in the answer.

use std::time::Duration;

use mien_shared::limits::MAX_FACES;
use mien_shared::{Expression, Face, FaceBox, Scores};

use crate::detection::{Detection, named, valid_box};
use crate::expression::{Neutral, softmax};

/// A face that was not seen for longer counts as a new face when it comes back: long enough for a dropped detection or
/// a hand in front of the face, too short for two people to change places.
pub const LOST_AFTER: Duration = Duration::from_secs(1);
/// Scores follow a change by 63 % in this time. About the length of a brief expression: a shorter time flickers between
/// labels, a longer one misses a smile.
pub const SCORE_TIME_CONSTANT: Duration = Duration::from_millis(300);
/// Share of a small movement that the box follows at once; a jump of [`BOX_JUMP`] is followed completely, so that the
/// overlay never trails a moving head.
const BOX_SHARE: f32 = 0.5;
/// Movement, in box sizes, that is no longer jitter.
const BOX_JUMP: f32 = 0.08;
/// Overlap from which a detection may be the same face.
const MIN_IOU: f32 = 0.2;
/// Without that overlap (a fast move, a low rate): centres nearer than this, in box sizes, …
const MAX_CENTRE_DISTANCE: f32 = 0.8;
/// … and sizes that differ by no more than this factor.
const MAX_SIZE_RATIO: f32 = 1.7;
/// Keeps one very certain frame from dominating for ever in log space.
const SCORE_FLOOR: f32 = 1e-4;
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
}

#[derive(Clone, Debug)]
struct Track {
    id: u32,
    /// As last seen: the next detection is compared with it.
    seen: FaceBox,
    /// As shown: smoothed.
    shown: FaceBox,
    /// Smoothed logarithms of the scores.
    log_scores: [f32; Expression::COUNT],
    seen_at: Duration,
    /// The person's own neutral face, for as long as this is the same person.
    neutral: Option<Neutral>,
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
        Self { tracks: Vec::new(), next_id: next_id.max(1) }
    }

    /// The identity that the next new face will get: keep it for [`Tracker::resume`].
    pub fn next_id(&self) -> u32 {
        self.next_id
    }

    /// The faces of the next frame, in the order of their identities. `captured` is the capture time on a monotonic
    /// clock, from any starting point, or the position in a file: a wall clock that is set back would freeze the scores
    /// for that long. If time goes backwards, no time is taken to have passed. Takes the [`MAX_FACES`] largest
    /// detections; invalid faces (a box without area, scores that are not numbers) are left out.
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
        self.tracks.retain(|track| captured.saturating_sub(track.seen_at) <= LOST_AFTER);
        let detections = usable(detections);
        let mut faces: Vec<Face> = self
            .associate(&detections)
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
                let scores = softmax(track.log_scores);
                Face {
                    quality: Some(detection.quality.clamp(0.0, 1.0)),
                    neutral: track.compared_with(detection),
                    ..Face::new(track.id, track.shown, named(&scores, detection.quality), scores)
                }
            })
            .collect();
        faces.sort_by_key(|face| face.id);
        self.forget_oldest();
        faces
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

    /// For each detection, the index of the track that it continues. Best pairs first, each track once; ties go to the
    /// older face and then to the earlier detection.
    fn associate(&self, detections: &[(FaceBox, &Detection)]) -> Vec<Option<usize>> {
        let mut pairs = Vec::new();
        for (track_index, track) in self.tracks.iter().enumerate() {
            for (detection_index, (bounds, _)) in detections.iter().enumerate() {
                if let Some(affinity) = affinity(&track.seen, bounds) {
                    pairs.push((affinity, track_index, detection_index));
                }
            }
        }
        // The sort is stable, and `tracks` is in order of identity.
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut taken = vec![false; self.tracks.len()];
        let mut known = vec![None; detections.len()];
        for (_, track, detection) in pairs {
            if !taken[track] && known[detection].is_none() {
                taken[track] = true;
                known[detection] = Some(track);
            }
        }
        known
    }

    fn begin(&mut self, captured: Duration, bounds: FaceBox, detection: &Detection) -> &mut Track {
        let id = self.next_id;
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        let log_scores = logarithms(&detection.scores);
        self.tracks.push(Track {
            id,
            seen: bounds,
            shown: bounds,
            log_scores,
            seen_at: captured,
            neutral: None,
        });
        let last = self.tracks.len() - 1;
        &mut self.tracks[last]
    }

    fn forget_oldest(&mut self) {
        while self.tracks.len() > MAX_TRACKS {
            let oldest = self.tracks.iter().enumerate().min_by_key(|(_, track)| track.seen_at);
            let Some((index, _)) = oldest else { return };
            self.tracks.remove(index);
        }
    }
}

impl Track {
    fn follow(&mut self, captured: Duration, bounds: FaceBox, detection: &Detection) {
        let elapsed = captured.saturating_sub(self.seen_at);
        let share = 1.0 - (-elapsed.div_duration_f32(SCORE_TIME_CONSTANT)).exp();
        let scores = self.scores(detection);
        for (smooth, new) in self.log_scores.iter_mut().zip(logarithms(&scores)) {
            *smooth += share * (new - *smooth);
        }
        self.shown = eased(self.shown, bounds);
        self.seen = bounds;
        self.seen_at = self.seen_at.max(captured);
    }

    /// What the person's own neutral face makes of a detection's scores.
    fn scores(&self, detection: &Detection) -> Scores {
        match (&self.neutral, &detection.look) {
            (Some(neutral), Some(look)) => neutral.applied(&detection.scores, look),
            _ => detection.scores,
        }
    }

    /// The looks that the neutral face was made of, if the detection was compared with it.
    fn compared_with(&self, detection: &Detection) -> Option<u32> {
        detection.look.and(self.neutral.as_ref()).map(Neutral::looks)
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

fn logarithms(scores: &Scores) -> [f32; Expression::COUNT] {
    scores.0.map(|score| score.max(SCORE_FLOOR).ln())
}

/// How well a detection continues a track; `None` if it cannot. Any overlap beats none.
fn affinity(seen: &FaceBox, now: &FaceBox) -> Option<f32> {
    let iou = seen.iou(now);
    if iou >= MIN_IOU {
        return Some(1.0 + iou);
    }
    let size = |b: &FaceBox| (b.width * b.height).sqrt();
    let ratio = size(seen) / size(now);
    if !(1.0 / MAX_SIZE_RATIO..=MAX_SIZE_RATIO).contains(&ratio) {
        return None;
    }
    let distance = movement(seen, now);
    (distance <= MAX_CENTRE_DISTANCE).then_some(1.0 - distance)
}

/// Distance of the centres, in mean widths and heights, so that the frame's aspect ratio does not matter.
fn movement(from: &FaceBox, to: &FaceBox) -> f32 {
    let across = (to.left + to.width / 2.0) - (from.left + from.width / 2.0);
    let down = (to.top + to.height / 2.0) - (from.top + from.height / 2.0);
    let (width, height) = (f32::midpoint(from.width, to.width), f32::midpoint(from.height, to.height));
    (across / width).hypot(down / height)
}

fn eased(shown: FaceBox, seen: FaceBox) -> FaceBox {
    let grown = (seen.width / shown.width - 1.0).abs().max((seen.height / shown.height - 1.0).abs());
    let share = (movement(&shown, &seen).max(grown) / BOX_JUMP).clamp(BOX_SHARE, 1.0);
    let (from, to): ([f32; 4], [f32; 4]) = (shown.into(), seen.into());
    FaceBox::from(std::array::from_fn(|side| from[side] + share * (to[side] - from[side])))
}

#[cfg(test)]
#[path = "tracker_tests.rs"]
mod tests;
