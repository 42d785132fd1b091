//! Scores over time: calm over a face that does not change, quick when it does.

use mien_shared::{Expression, Scores};

use super::*;
use crate::detection::named;
use crate::expression::softmax;

const RATES: [u64; 3] = [5, 15, 30];

/// The same numbers every time, about evenly from −1 to 1.
struct Noise(u64);

impl Noise {
    fn even(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }

    /// About normal, with a deviation of 1.
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.even()).sum::<f32>() / 2.0
    }

    /// What a network says of a face of which each frame has other noise.
    fn over(&mut self, scores: &Scores, deviation: f32) -> Scores {
        softmax(scores.0.map(|score| score.ln() + deviation * self.normal()))
    }
}

fn likely(top: usize, share: f32) -> Scores {
    let mut scores = [(1.0 - share) / 6.0; 7];
    scores[top] = share;
    Scores(scores)
}

fn seen(scores: Scores) -> Detection {
    let bounds = FaceBox { left: 0.4, top: 0.3, width: 0.2, height: 0.3 };
    Detection {
        landmarks: None,
        bounds,
        strongest: None,
        keypoints: [[0.5, 0.4]; 6],
        score: 0.9,
        scores,
        expression: None,
        quality: 0.9,
        doubts: Vec::new(),
        look: None,
    }
}

fn shown(fps: u64, frames: &[Scores]) -> Vec<Face> {
    let mut tracker = Tracker::new();
    let at = |frame: usize| Duration::from_micros(frame as u64 * 1_000_000 / fps);
    frames
        .iter()
        .enumerate()
        .map(|(frame, scores)| tracker.update(at(frame), &[seen(*scores)]).remove(0))
        .collect()
}

fn deviation(values: impl Iterator<Item = f32> + Clone) -> f32 {
    let count = values.clone().count() as f32;
    let mean = values.clone().sum::<f32>() / count;
    (values.map(|value| (value - mean).powi(2)).sum::<f32>() / count).sqrt()
}

#[test]
fn over_a_still_face_scores_waver_half_as_much_as_the_single_frames() {
    for fps in RATES {
        for (face, noise) in [(likely(1, 0.5), 0.1), (likely(0, 0.8), 0.2), (likely(3, 0.45), 0.2)] {
            let mut random = Noise(fps + 7);
            let frames: Vec<Scores> = (0..fps * 60).map(|_| random.over(&face, noise)).collect();
            let shown = shown(fps, &frames);
            // After the first frame has been outlived.
            let from = 2 * fps as usize;
            for expression in 0..Expression::COUNT {
                let raw = deviation(frames[from..].iter().map(|scores| scores.0[expression]));
                let smooth = deviation(shown[from..].iter().map(|face| face.scores.0[expression]));
                assert!(smooth <= 0.5 * raw, "{fps} fps, {expression}: {smooth} of {raw}");
            }
        }
    }
}

#[test]
fn a_change_is_shown_within_a_quarter_of_a_second() {
    for fps in RATES {
        for share in [0.6, 0.7, 0.8, 0.9, 0.97] {
            for noise in [0.0, 0.1] {
                if fps == 5 && share < 0.7 {
                    // Two frames, of which one alone must not decide.
                    continue;
                }
                let mut random = Noise(fps + 3);
                let mut frames: Vec<Scores> =
                    (0..2 * fps).map(|_| random.over(&likely(0, share), noise)).collect();
                let change = frames.len();
                frames.extend((0..2 * fps).map(|_| random.over(&likely(1, share), noise)));
                let shown = shown(fps, &frames);
                // From the first frame that shows it.
                let within = (fps / 4) as usize;
                let label = shown[change + within].expression;
                assert_eq!(label, Some(Expression::Happiness), "{share} at {fps} fps, noise {noise}");
            }
        }
    }
}

#[test]
fn a_close_call_keeps_its_label() {
    let mut random = Noise(11);
    let frames: Vec<Scores> = (0..15 * 60).map(|_| random.over(&likely(1, 0.49), 0.15)).collect();
    let shown = shown(15, &frames);
    let changes =
        |labels: Vec<Option<Expression>>| labels.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let by_threshold = changes(shown.iter().map(|face| named(&face.scores, 0.9)).collect());
    let kept = changes(shown.iter().map(|face| face.expression).collect());
    assert!(by_threshold > 20 && kept <= 2, "{kept} changes, {by_threshold} without keeping it");
    // But not for long once it is no longer true.
    let doubtful = [vec![likely(1, 0.6); 15], vec![likely(1, 0.4); 30]].concat();
    assert_eq!(self::shown(15, &doubtful)[44].expression, None);
}

#[test]
fn a_single_odd_frame_changes_no_label_to_another() {
    for fps in RATES {
        let mut frames = vec![likely(0, 0.8); 40];
        frames[20] = likely(3, 0.9);
        for face in shown(fps, &frames) {
            assert!(matches!(face.expression, None | Some(Expression::Neutral)), "{fps} fps: {face:?}");
        }
    }
}
