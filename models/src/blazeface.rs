//! From a BlazeFace network's raw output to faces: anchors, decoding and non-maximum suppression, shared by both
//! detectors. Runs no network.

use mien_shared::FaceBox;
use serde::{Deserialize, Serialize};

use crate::image::{Frame, Letterbox, Square};
use crate::keypoint::Keypoint;

/// Anchors of both networks: 16×16 cells with two anchors each, then 8×8 cells with six each.
pub const ANCHORS: usize = 16 * 16 * 2 + 8 * 8 * 6;
/// Numbers per box: centre, size and six key points.
pub const REGRESSORS: usize = 4 + 2 * Keypoint::COUNT;
/// A candidate below this score is not a face.
pub const MIN_SCORE: f32 = 0.5;
/// Candidates that overlap by more than this are one face.
pub const SAME_FACE_IOU: f32 = 0.3;

/// A face before its expression is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The mean of the boxes for this face: the steadiest from frame to frame. In fractions of the detector's square
    /// while decoding, and of the frame afterwards.
    pub bounds: FaceBox,
    /// The strongest of these boxes, in the same fractions: the expression's square is derived from it.
    pub strongest: FaceBox,
    /// In the same fractions, in the order of [`Keypoint`].
    pub keypoints: [[f32; 2]; Keypoint::COUNT],
    /// 0 … 1.
    pub score: f32,
}

impl Candidate {
    /// The same face in fractions of the frame that was drawn into the detector's square.
    #[must_use]
    pub fn in_frame(&self, letterbox: &Letterbox) -> Self {
        Self {
            bounds: letterbox.frame_box(self.bounds),
            strongest: letterbox.frame_box(self.strongest),
            keypoints: self.keypoints.map(|point| letterbox.frame_from_square(point)),
            score: self.score,
        }
    }
}

impl Candidate {
    /// The same face in fractions of the frame, given that it was found in this square in fractions of the square. The
    /// square is turned by whole quarter turns, so that a box stays a box.
    #[must_use]
    pub fn out_of(&self, square: &Square, frame: &Frame<'_>) -> Self {
        let in_frame = |bounds: FaceBox| {
            let [a, b] =
                [[bounds.left, bounds.top], [bounds.left + bounds.width, bounds.top + bounds.height]]
                    .map(|corner| square.in_frame(frame, corner));
            FaceBox {
                left: a[0].min(b[0]),
                top: a[1].min(b[1]),
                width: (a[0] - b[0]).abs(),
                height: (a[1] - b[1]).abs(),
            }
        };
        Self {
            bounds: in_frame(self.bounds),
            strongest: in_frame(self.strongest),
            keypoints: self.keypoints.map(|point| square.in_frame(frame, point)),
            score: self.score,
        }
    }
}

/// Centre of the cell that an anchor belongs to, in fractions of the square.
fn anchor(index: usize) -> [f32; 2] {
    let (cell, side) = if index < 512 { (index / 2, 16) } else { ((index - 512) / 6, 8) };
    [cell % side, cell / side].map(|place| (place as f32 + 0.5) / side as f32)
}

/// Reads the networks' outputs: `logits` and `regressors` of all anchors in order, and the square's side in pixels.
/// Candidates with numbers that are not finite are dropped.
pub fn decode(logits: &[f32], regressors: &[f32], side: usize) -> Vec<Candidate> {
    let scale = 1.0 / side as f32;
    logits
        .iter()
        .zip(regressors.chunks_exact(REGRESSORS))
        .enumerate()
        .filter_map(|(index, (logit, numbers))| {
            let score = 1.0 / (1.0 + (-logit).exp());
            if score.is_nan() || score < MIN_SCORE || numbers.iter().any(|number| !number.is_finite()) {
                return None;
            }
            let [x, y] = anchor(index);
            let [width, height] = [numbers[2] * scale, numbers[3] * scale];
            if width <= 0.0 || height <= 0.0 {
                return None;
            }
            let bounds = FaceBox {
                left: numbers[0] * scale + x - width / 2.0,
                top: numbers[1] * scale + y - height / 2.0,
                width,
                height,
            };
            Some(Candidate {
                bounds,
                strongest: bounds,
                keypoints: std::array::from_fn(|point| {
                    [numbers[4 + 2 * point] * scale + x, numbers[5 + 2 * point] * scale + y]
                }),
                score,
            })
        })
        .collect()
}

/// One candidate per face, strongest first: each is the mean of the candidates that overlap its strongest, weighted by
/// score, which is steadier from frame to frame than the strongest alone.
pub fn weighted_suppression(candidates: Vec<Candidate>) -> Vec<Candidate> {
    grouped(candidates).iter().filter_map(|group| mean(group)).collect()
}

/// Groups of overlapping candidates; the strongest leads its group, and the strongest group is first.
fn grouped(mut candidates: Vec<Candidate>) -> Vec<Vec<Candidate>> {
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut groups: Vec<Vec<Candidate>> = Vec::new();
    for candidate in candidates {
        match groups.iter_mut().find(|group| group[0].bounds.iou(&candidate.bounds) > SAME_FACE_IOU) {
            Some(group) => group.push(candidate),
            None => groups.push(vec![candidate]),
        }
    }
    groups
}

fn mean(group: &[Candidate]) -> Option<Candidate> {
    let total: f32 = group.iter().map(|candidate| candidate.score).sum();
    let weighted = |value: &dyn Fn(&Candidate) -> f32| {
        group.iter().map(|candidate| candidate.score * value(candidate)).sum::<f32>() / total
    };
    let strongest = group.first()?;
    Some(Candidate {
        bounds: FaceBox {
            left: weighted(&|c| c.bounds.left),
            top: weighted(&|c| c.bounds.top),
            width: weighted(&|c| c.bounds.width),
            height: weighted(&|c| c.bounds.height),
        },
        keypoints: std::array::from_fn(|point| {
            [weighted(&|c| c.keypoints[point][0]), weighted(&|c| c.keypoints[point][1])]
        }),
        strongest: strongest.bounds,
        score: strongest.score,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(left: f32, score: f32) -> Candidate {
        let bounds = FaceBox { left, top: 0.2, width: 0.2, height: 0.2 };
        Candidate { bounds, strongest: bounds, keypoints: [[left, 0.3]; 6], score }
    }

    #[test]
    fn anchors_are_cell_centres_row_by_row() {
        assert_eq!(anchor(0), [0.5 / 16.0, 0.5 / 16.0]);
        assert_eq!(anchor(1), anchor(0));
        assert_eq!(anchor(2), [1.5 / 16.0, 0.5 / 16.0]);
        assert_eq!(anchor(32), [0.5 / 16.0, 1.5 / 16.0]);
        assert_eq!(anchor(512), [0.5 / 8.0, 0.5 / 8.0]);
        assert_eq!(anchor(ANCHORS - 1), [7.5 / 8.0, 7.5 / 8.0]);
    }

    #[test]
    fn one_strong_anchor_becomes_one_box() {
        let mut logits = vec![-20.0; ANCHORS];
        let mut regressors = vec![0.0; ANCHORS * REGRESSORS];
        logits[2] = 3.0;
        regressors[2 * REGRESSORS..][..6].copy_from_slice(&[12.8, 0.0, 25.6, 51.2, -12.8, 6.4]);
        let [face] = &decode(&logits, &regressors, 128)[..] else { panic!("one face") };
        let expected = FaceBox { left: 0.09375, top: -0.16875, width: 0.2, height: 0.4 };
        for (got, want) in <[f32; 4]>::from(face.bounds).into_iter().zip(<[f32; 4]>::from(expected)) {
            assert!((got - want).abs() < 1e-6, "{:?}", face.bounds);
        }
        assert!((face.keypoints[0][0] - (-0.1 + 0.09375)).abs() < 1e-6);
        assert!((face.score - 0.952_574).abs() < 1e-5);
    }

    #[test]
    fn numbers_that_are_not_finite_are_no_face() {
        let mut regressors = vec![1.0; 2 * REGRESSORS];
        regressors[3] = f32::NAN;
        assert!(decode(&[9.0, f32::NAN], &regressors, 128).is_empty());
    }

    #[test]
    fn the_weighted_mean_leans_to_the_strongest_and_keeps_its_score_and_its_box() {
        let candidates = vec![candidate(0.1, 0.6), candidate(0.7, 0.8), candidate(0.12, 0.9)];
        let [face, other] = &weighted_suppression(candidates)[..] else { panic!("two faces") };
        assert_eq!((face.score, face.strongest), (0.9, candidate(0.12, 0.9).bounds));
        let alone = candidate(0.7, 0.8);
        assert_eq!((other.score, other.strongest), (alone.score, alone.bounds));
        assert!(other.bounds.iou(&alone.bounds) > 0.999);
        assert!((face.bounds.left - 0.112).abs() < 1e-6);
    }
}
