//! One face over time: what the frames say of it, smoothed.

use std::time::Duration;

use mien_shared::{Expression, Face, FaceBox, QualityReason, Scores};

use crate::association::Motion;
use crate::blazeface::Candidate;
use crate::detection::{ABSTAIN_BELOW, Detection, JUDGED_FROM, named, valid_box};
use crate::expression::{Look, Neutral, softmax};
use crate::landmarks::{HELD_FOR, Held};
use crate::quality::Doubt;
use crate::steady::share_after;

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
/// Keeps one very certain frame from dominating for ever in log space.
const SCORE_FLOOR: f32 = 1e-4;

#[derive(Clone, Debug)]
pub(crate) struct Track {
    pub(crate) id: u32,
    pub(crate) motion: Motion,
    /// As shown: smoothed.
    pub(crate) steady: Candidate,
    /// Smoothed logarithms of the scores.
    pub(crate) log_scores: [f32; Expression::COUNT],
    /// How much longer the scores follow a change quickly.
    pub(crate) changing: Duration,
    pub(crate) expression: Option<Expression>,
    pub(crate) quality: f32,
    pub(crate) why: Vec<QualityReason>,
    pub(crate) newest: RawFace,
    pub(crate) is_in_frame: bool,
    /// The person's own neutral face, for as long as this is the same person.
    pub(crate) neutral: Option<Neutral>,
    /// From how many looks, if the newest frame was compared with it.
    pub(crate) compared_with: Option<u32>,
    pub(crate) landmarks: Held,
    /// What the mouth said last, and when: it is not looked at in every frame.
    pub(crate) mouth: Option<(Duration, f32)>,
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

impl Track {
    pub(crate) fn begun(id: u32, captured: Duration, bounds: FaceBox, detection: &Detection) -> Self {
        let mut landmarks = Held::default();
        landmarks.see(captured, bounds, detection.landmarks.as_deref());
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
            neutral: None,
            compared_with: None,
            landmarks,
            mouth: detection.look.and_then(|look| Some((captured, look.mouth?))),
        }
    }

    pub(crate) fn follow(&mut self, captured: Duration, bounds: FaceBox, detection: &Detection) {
        let elapsed = self.motion.unseen;
        let scores = self.scores(captured, detection);
        self.compared_with = detection.look.and(self.neutral.as_ref()).map(Neutral::looks);
        self.follow_scores(elapsed, &scores);
        self.quality += share_after(elapsed, SCORE_TIME_CONSTANT) * (detection.quality - self.quality);
        self.expression = self.named();
        self.why = reasons(&detection.doubts);
        self.steady =
            self.steady.moved_towards(&candidate(bounds, detection), share_after(elapsed, BOX_TIME_CONSTANT));
        self.motion.follow(bounds);
        self.newest = RawFace { id: self.id, score: detection.score, scores };
        self.is_in_frame = true;
        self.landmarks.see(captured, bounds, detection.landmarks.as_deref());
    }

    pub(crate) fn follow_scores(&mut self, elapsed: Duration, scores: &Scores) {
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

    /// A frame's scores as they enter the track: what the person's own neutral face makes of them.
    pub(crate) fn scores(&mut self, captured: Duration, detection: &Detection) -> Scores {
        let Some(look) = detection.look else { return detection.scores };
        if let Some(mouth) = look.mouth {
            self.mouth = Some((captured, mouth));
        }
        // Without it, scores would jump between two formulas from frame to frame.
        let held = self.mouth.filter(|(at, _)| captured.saturating_sub(*at) <= HELD_FOR);
        let look = Look { mouth: held.map(|(_, mouth)| mouth), ..look };
        self.neutral.map_or(detection.scores, |neutral| neutral.applied(&detection.scores, &look))
    }

    /// A close call is not decided anew in every frame.
    pub(crate) fn named(&self) -> Option<Expression> {
        let scores = softmax(self.log_scores);
        let stays = |expression: &Expression| {
            let score = scores.of(*expression);
            let least = scores.top().1.max(ABSTAIN_BELOW) - STAYS;
            score >= least && self.quality >= JUDGED_FROM
        };
        self.expression.filter(stays).or_else(|| named(&scores, self.quality))
    }

    pub(crate) fn face(&self, captured: Duration) -> Face {
        let scores = softmax(self.log_scores);
        let bounds = valid_box(self.steady.bounds).unwrap_or(self.steady.bounds);
        Face {
            quality: Some(self.quality.clamp(0.0, 1.0)),
            valence: Some(scores.valence()),
            neutral: self.compared_with,
            landmarks: self.landmarks.landmarks(captured),
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

pub(crate) fn logarithms(scores: &Scores) -> [f32; Expression::COUNT] {
    scores.0.map(|score| score.max(SCORE_FLOOR).ln())
}
