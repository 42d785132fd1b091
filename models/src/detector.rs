//! How the two detectors differ: how each one's box relates to the face, at which sizes that relation holds, and so
//! which detector decides when both see the same face. Runs no network.
//!
//! Measured on 102 adults, with a neutral and a smiling photograph of each, placed at random in pictures of which the
//! face takes up .1 to 1.3. A face is measured by the near detector's strongest box in the original photograph, of
//! which it takes up .37. Sizes are those of a box's longer side in fractions of the square that a detector sees, which
//! the picture's longer side fills. `examples/squares.rs` shows what error remains once the boxes are calibrated.
//!
//! | size | face / near box, deviation | face / far box, deviation |
//! |---|---|---|
//! | .12–.15 | 1.03–1.05, .07–.17 | 1.02, .02–.04 |
//! | .165 | 1.10, .07 | 1.04, .03 |
//! | .20 | 1.05–1.06, .04 | 1.02, .02–.03 |
//! | .23–.55 | .98–1.03, .03 | 1.01–1.05, .03 |
//! | .7 | 1.03, .03 | .92, .08; middle 8 % too high |
//! | .87, the face fills the picture | 1.04, .06 | .84, .2; middle 9 % too high |
//! | 1.13, it is cut | .96, .04 | 1.28, .2; middle 9 % too high |
//!
//! Up to .55 both boxes have their middle within 1 % of where it belongs, so no middle is corrected.

use mien_shared::FaceBox;

use crate::blazeface::{Candidate, SAME_FACE_IOU};
use crate::keypoint::Keypoint;
use crate::manifest::ModelId;

/// The two networks that find faces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detector {
    Near,
    Far,
}

/// From this size (after calibration) on the near detector decides: its boxes are steady from here on and stay right
/// where the far one's shrink and shift. Below it, the near detector's sizes are noise, and the far one is right.
const NEAR_COUNTS_FROM: f32 = 0.18;
/// A face that is known to be smaller needs the far detector each time, so that its box does not jump: the near one's are
/// 1.5 times as large as they should be at a tenth, and 1.1 ± .07 times at an eighth.
pub const NEAR_RANGE: f32 = 0.15;
/// By size, the factor that brings the near detector's boxes to the common extent of the face; linear in between.
const NEAR_SCALE: [(f32, f32); 3] = [(0.14, 1.04), (0.165, 1.10), (0.23, 1.0)];
/// The same for the far detector, at all sizes where it decides. The photographs call for 1.028 over these sizes and
/// 1.04 at their own, the two portraits in `tests/fixtures` for 1.00: this is within 2 % of each.
const FAR_SCALE: f32 = 1.02;

impl Detector {
    pub const fn model(self) -> ModelId {
        match self {
            Self::Near => ModelId::Near,
            Self::Far => ModelId::Far,
        }
    }

    /// The face with boxes of the extent that both detectors share. All values are fractions of the detector's square.
    #[must_use]
    pub fn calibrated(self, mut face: Candidate) -> Candidate {
        for bounds in [&mut face.bounds, &mut face.strongest] {
            let scale = match self {
                Self::Near => near_scale(size(bounds)),
                Self::Far => FAR_SCALE,
            };
            *bounds = scaled(bounds, scale);
        }
        face
    }
}

/// What both detectors found in the same square, each face once. A mean of the two would be worse than the better one,
/// and their scores cannot be compared: going by score, the far detector would win most often where its box is worst.
pub fn merged(near: Vec<Candidate>, far: Vec<Candidate>) -> Vec<Candidate> {
    let (mut kept, doubtful): (Vec<_>, Vec<_>) =
        near.into_iter().partition(|face| size(&face.strongest) >= NEAR_COUNTS_FROM);
    let far: Vec<_> = far.into_iter().filter(|face| !kept.iter().any(|near| is_same(near, face))).collect();
    // A box that is far too large overlaps little with the face that it stands for, but contains its middle.
    let seen_better = |near: &Candidate| {
        far.iter().any(|far| is_same(near, far) || holds(&near.bounds, middle(&far.bounds)))
    };
    kept.extend(doubtful.into_iter().filter(|near| !seen_better(near)));
    kept.extend(far);
    kept
}

/// Whether a box holds the eyes, nose and mouth of a clearly smaller face: either one of the two is not a face, or one
/// person stands in front of the other. Boxes of the same face overlap more, and were merged before.
pub fn swallows(outer: &Candidate, inner: &Candidate) -> bool {
    let points = [Keypoint::RightEye, Keypoint::LeftEye, Keypoint::Nose, Keypoint::Mouth];
    size(&inner.bounds) < 0.8 * size(&outer.bounds)
        && points.iter().all(|point| holds(&outer.bounds, inner.keypoints[*point as usize]))
}

/// Of boxes that mean one face, or swallow one, the surest.
pub fn each_once(mut faces: Vec<Candidate>) -> Vec<Candidate> {
    faces.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Candidate> = Vec::with_capacity(faces.len());
    for face in faces {
        if !kept.iter().any(|known| is_same(known, &face) || swallows(known, &face) || swallows(&face, known))
        {
            kept.push(face);
        }
    }
    kept
}

fn is_same(a: &Candidate, b: &Candidate) -> bool {
    a.bounds.iou(&b.bounds) > SAME_FACE_IOU
}

fn size(bounds: &FaceBox) -> f32 {
    bounds.width.max(bounds.height)
}

fn middle(bounds: &FaceBox) -> [f32; 2] {
    [bounds.left + bounds.width / 2.0, bounds.top + bounds.height / 2.0]
}

fn holds(bounds: &FaceBox, [x, y]: [f32; 2]) -> bool {
    let across = bounds.left..=bounds.left + bounds.width;
    let down = bounds.top..=bounds.top + bounds.height;
    across.contains(&x) && down.contains(&y)
}

/// Scales a box about its middle.
fn scaled(bounds: &FaceBox, scale: f32) -> FaceBox {
    let [x, y] = middle(bounds);
    let (width, height) = (scale * bounds.width, scale * bounds.height);
    FaceBox { left: x - width / 2.0, top: y - height / 2.0, width, height }
}

fn near_scale(size: f32) -> f32 {
    let [(first, _), .., (_, after)] = NEAR_SCALE;
    let size = size.max(first);
    NEAR_SCALE
        .windows(2)
        .find_map(|pair| match *pair {
            [(from, low), (to, high)] if size < to => Some(low + (high - low) * (size - from) / (to - from)),
            _ => None,
        })
        .unwrap_or(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(x: f32, size: f32, score: f32) -> Candidate {
        let bounds = FaceBox { left: x - size / 2.0, top: 0.5 - size / 2.0, width: size, height: size };
        Candidate { bounds, strongest: bounds, keypoints: [[x, 0.5]; Keypoint::COUNT], score }
    }

    #[test]
    fn where_both_see_a_face_its_size_says_whose_box_counts() {
        // The score does not decide: the far detector is sure of itself where a face fills the picture.
        assert_eq!(merged(vec![face(0.5, 0.8, 0.6)], vec![face(0.5, 0.7, 0.99)]), [face(0.5, 0.8, 0.6)]);
        assert_eq!(merged(vec![face(0.5, 0.16, 0.99)], vec![face(0.5, 0.12, 0.6)]), [face(0.5, 0.12, 0.6)]);
    }

    #[test]
    fn what_one_of_them_sees_is_kept() {
        let near = vec![face(0.2, 0.3, 0.9), face(0.6, 0.15, 0.9)];
        let far = vec![face(0.8, 0.05, 0.8)];
        assert_eq!(merged(near.clone(), vec![]), near);
        assert_eq!(merged(vec![], far.clone()), far);
        assert_eq!(merged(near.clone(), far.clone()), [near, far].concat());
    }

    #[test]
    fn a_small_face_in_a_box_far_too_large_is_one_face() {
        let (near, far) = (face(0.52, 0.17, 0.55), face(0.5, 0.06, 0.9));
        assert!(near.bounds.iou(&far.bounds) < SAME_FACE_IOU);
        assert_eq!(merged(vec![near], vec![far.clone()]), [far]);
    }

    #[test]
    fn a_box_about_a_face_and_what_hangs_below_swallows_it() {
        let (inner, outer) = (face(0.5, 0.1, 0.9), face(0.5, 0.3, 0.9));
        assert!(swallows(&outer, &inner) && !swallows(&inner, &outer));
        assert!(!swallows(&face(0.5, 0.11, 0.9), &inner), "nearly the same size");
        assert!(!swallows(&face(0.8, 0.3, 0.9), &inner), "beside it");
    }

    #[test]
    fn boxes_grow_about_their_middle_and_never_overtake_each_other() {
        let grown = Detector::Far.calibrated(face(0.4, 0.1, 0.9));
        assert!((grown.bounds.width - 0.102).abs() < 1e-6);
        assert!((middle(&grown.bounds)[0] - 0.4).abs() < 1e-6);
        let sizes = (1..100).map(|size| {
            let size = size as f32 / 100.0;
            Detector::Near.calibrated(face(0.5, size, 0.9)).strongest.width
        });
        assert!(sizes.is_sorted_by(|a, b| a < b), "a larger box means a larger face");
        assert_eq!(near_scale(0.4), 1.0);
        assert!((near_scale(0.1975) - 1.05).abs() < 1e-6);
        assert_eq!(near_scale(0.01), 1.04);
    }
}
