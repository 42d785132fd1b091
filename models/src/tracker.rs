//! From detections to faces over time: a stable identity for each face, scores without flicker, boxes without jitter.
//! Deterministic: the caller supplies the time. Runs no network and extrapolates nothing: a face that the frame does
//! not show is not in the answer.

use std::time::Duration;

use mien_shared::limits::MAX_FACES;
use mien_shared::{Expression, Face, FaceBox, QualityReason, Scores};

use crate::association::{Motion, associate};
use crate::blazeface::Candidate;
use crate::detection::{ABSTAIN_BELOW, Detection, JUDGED_FROM, named, valid_box};
use crate::expression::softmax;
use crate::quality::Doubt;
use crate::steady::{MAX_EXPECTED, share_after};

/// A face that was not seen for longer counts as a new face when it comes back, unless frames are slower than that: long
/// enough for somebody who walks past in front of it, too short for two people to change places.
pub const LOST_AFTER: Duration = Duration::from_millis(1_500);
/// At a low rate a face may be missing from one frame, which makes two intervals, and a little for jitter.
const LOST_AFTER_INTERVALS: f32 = 2.5;
/// The same before the first interval is known.
const FIRST_INTERVAL: Duration = Duration::from_secs(5);
/// Scores follow a small change by 63 % in this time: over a face that does not change, they waver by less than half as
/// much as the single frames' at five frames a second, and by less at more.
pub const SCORE_TIME_CONSTANT: Duration = Duration::from_millis(500);
/// The same for a change that no noise makes, and for what follows it: it is shown within this time.
const CHANGE_TIME_CONSTANT: Duration = Duration::from_millis(110);
const SHOWN_WITHIN: Duration = Duration::from_millis(250);
/// Share of the probability that moved: noise up to here, …
const NOISE: f32 = 0.15;
/// … and a change from here on.
const CHANGE: f32 = 0.3;
/// A single frame decides nothing by itself, however long after the last.
const MAX_CHANGE_SHARE: f32 = 0.5;
/// A label stays until its expression is this much less likely than a new one would have to be, or than another one is.
const STAYS: f32 = 0.06;
/// Boxes follow a small movement by 63 % in this time.
const BOX_TIME_CONSTANT: Duration = Duration::from_millis(200);
/// A face that a detector has missed for this long is still expected where it was.
const EXPECTED_FOR: Duration = Duration::from_millis(300);
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
    pace: Pace,
}

#[derive(Clone, Debug)]
struct Track {
    id: u32,
    motion: Motion,
    /// As shown: smoothed.
    steady: Candidate,
    /// Smoothed logarithms of the scores.
    log_scores: [f32; Expression::COUNT],
    /// How much longer the scores follow a change quickly.
    changing: Duration,
    expression: Option<Expression>,
    quality: f32,
    why: Vec<QualityReason>,
    newest: RawFace,
    is_in_frame: bool,
}

/// What the newest frame alone says of a face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RawFace {
    pub id: u32,
    /// The detector's confidence that it is a face, 0 … 1.
    pub score: f32,
    /// Before smoothing.
    pub scores: Scores,
}

/// How fast frames come, from their times alone.
#[derive(Clone, Debug, Default)]
struct Pace {
    newest: Option<Duration>,
    /// The last intervals, the newest last.
    intervals: Vec<Duration>,
}

impl Pace {
    /// Time since the frame before, and how long a face may be out of sight by now. If time goes backwards, none is
    /// taken to have passed.
    fn next(&mut self, captured: Duration) -> (Duration, Duration) {
        let elapsed = self.newest.map_or(Duration::ZERO, |newest| captured.saturating_sub(newest));
        // The median, so that a single pause does not count as a low rate.
        let mut sorted = self.intervals.clone();
        sorted.sort_unstable();
        let interval = sorted.get(sorted.len().saturating_sub(1) / 2);
        let lost_after = interval
            .map_or(FIRST_INTERVAL, |interval| LOST_AFTER.max(interval.mul_f32(LOST_AFTER_INTERVALS)));
        if self.newest.is_some() {
            if self.intervals.len() == 3 {
                self.intervals.remove(0);
            }
            self.intervals.push(elapsed);
        }
        self.newest = Some(captured);
        (elapsed, lost_after)
    }
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
                        track.follow(*bounds, detection);
                        track
                    }
                    None => self.begin(*bounds, detection),
                };
                track.face()
            })
            .collect();
        faces.sort_by_key(|face| face.id);
        self.forget_oldest();
        faces
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

    fn begin(&mut self, bounds: FaceBox, detection: &Detection) -> &mut Track {
        let id = self.next_id;
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        self.tracks.push(Track::begun(id, bounds, detection));
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

impl Track {
    fn begun(id: u32, bounds: FaceBox, detection: &Detection) -> Self {
        let scores = detection.scores;
        Self {
            id,
            motion: Motion::begun(bounds),
            steady: candidate(bounds, detection),
            log_scores: logarithms(&scores),
            changing: Duration::ZERO,
            expression: named(&scores, detection.quality),
            quality: detection.quality,
            why: reasons(&detection.doubts),
            newest: RawFace { id, score: detection.score, scores },
            is_in_frame: true,
        }
    }

    fn follow(&mut self, bounds: FaceBox, detection: &Detection) {
        let elapsed = self.motion.unseen;
        // Here a frame's scores enter the track.
        let scores = detection.scores;
        self.follow_scores(elapsed, &scores);
        self.quality += share_after(elapsed, SCORE_TIME_CONSTANT) * (detection.quality - self.quality);
        self.expression = self.named();
        self.why = reasons(&detection.doubts);
        self.steady =
            self.steady.moved_towards(&candidate(bounds, detection), share_after(elapsed, BOX_TIME_CONSTANT));
        self.motion.follow(bounds);
        self.newest = RawFace { id: self.id, score: detection.score, scores };
        self.is_in_frame = true;
    }

    fn follow_scores(&mut self, elapsed: Duration, scores: &Scores) {
        let slow = share_after(elapsed, SCORE_TIME_CONSTANT);
        let quick = share_after(elapsed, CHANGE_TIME_CONSTANT).min(MAX_CHANGE_SHARE).max(slow);
        let moved = moved(&softmax(self.log_scores), scores);
        self.changing = self.changing.saturating_sub(elapsed);
        if moved >= CHANGE {
            self.changing = SHOWN_WITHIN;
        }
        let changes = ((moved - NOISE) / (CHANGE - NOISE)).clamp(0.0, 1.0);
        let changes = if self.changing.is_zero() { changes } else { 1.0 };
        let share = slow + changes * (quick - slow);
        for (smooth, new) in self.log_scores.iter_mut().zip(logarithms(scores)) {
            *smooth += share * (new - *smooth);
        }
    }

    /// A close call is not decided anew in every frame.
    fn named(&self) -> Option<Expression> {
        let scores = softmax(self.log_scores);
        let stays = |expression: &Expression| {
            let score = scores.of(*expression);
            let least = scores.top().1.max(ABSTAIN_BELOW) - STAYS;
            score >= least && self.quality >= JUDGED_FROM
        };
        self.expression.filter(stays).or_else(|| named(&scores, self.quality))
    }

    fn face(&self) -> Face {
        let scores = softmax(self.log_scores);
        let bounds = valid_box(self.steady.bounds).unwrap_or(self.steady.bounds);
        Face {
            quality: Some(self.quality.clamp(0.0, 1.0)),
            valence: Some(scores.valence()),
            why: self.why.clone(),
            ..Face::new(self.id, bounds, self.expression, scores)
        }
    }
}

/// Those doubts that the contract has names for.
fn reasons(doubts: &[Doubt]) -> Vec<QualityReason> {
    let reason = |doubt: &Doubt| match doubt {
        Doubt::TooSmall => Some(QualityReason::Small),
        Doubt::Turned => Some(QualityReason::Turned),
        Doubt::Dark => Some(QualityReason::Dark),
        Doubt::Blurred => Some(QualityReason::Blurred),
        Doubt::Cut => Some(QualityReason::Cut),
        Doubt::Bright | Doubt::Flat => None,
    };
    doubts.iter().filter_map(reason).collect()
}

/// Share of the probability that went from one expression to another.
fn moved(from: &Scores, to: &Scores) -> f32 {
    from.0.iter().zip(to.0).map(|(from, to)| (from - to).abs()).sum::<f32>() / 2.0
}

fn candidate(bounds: FaceBox, detection: &Detection) -> Candidate {
    let Detection { strongest, keypoints, score, .. } = *detection;
    Candidate { bounds, strongest: strongest.and_then(valid_box).unwrap_or(bounds), keypoints, score }
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

#[cfg(test)]
#[path = "tracker_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "smoothing_tests.rs"]
mod smoothing_tests;
