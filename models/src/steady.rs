//! Boxes and key points without jitter. What a detector says of a face that does not move wavers by some hundredths of
//! its size, and a crop that wavers with it changes the answer. So each look moves the known place only a little, unless
//! it is clearly elsewhere. Runs no network.

use std::time::Duration;

use mien_shared::FaceBox;

use crate::blazeface::Candidate;
use crate::keypoint::Keypoint;

/// Expected faces that are told to a worker at once; further ones are read where they are found.
pub const MAX_EXPECTED: usize = 16;
/// Movement, in box sizes, that is no jitter: it is followed completely, so that nothing trails behind a moving head.
const JUMP: f32 = 0.08;
/// Change of size that is no jitter. More than the movement: where the two detectors take turns, sizes differ by up to a
/// tenth.
const GROWTH: f32 = 0.25;
/// A detection whose middle is further from where a face is expected, in box sizes, …
#[cfg(feature = "inference")]
const AGREES_WITHIN: f32 = 0.25;
/// … or whose size differs by a larger factor, says nothing about that face's box.
#[cfg(feature = "inference")]
const AGREES_IN_SIZE: f32 = 1.4;
/// Share of a small difference that the crop follows in one look.
#[cfg(feature = "inference")]
const CROP_SHARE: f32 = 0.15;

impl Candidate {
    /// The same face where it is expected, moved towards what was found.
    #[cfg(feature = "inference")]
    #[must_use]
    pub(crate) fn steadied(&self, expected: &[Self]) -> Self {
        match self.known_among(expected) {
            Some(known) => known.moved_towards(self, CROP_SHARE),
            None => self.clone(),
        }
    }

    /// The expected face that this is, a little elsewhere.
    #[cfg(feature = "inference")]
    pub(crate) fn known_among<'a>(&self, expected: &'a [Self]) -> Option<&'a Self> {
        expected.iter().find(|known| agrees(&known.bounds, &self.bounds))
    }

    /// This face moved towards a newer look at it, by at least `share` of the way.
    #[must_use]
    pub(crate) fn moved_towards(&self, seen: &Self, share: f32) -> Self {
        let eyes = [Keypoint::RightEye, Keypoint::LeftEye].map(|eye| eye as usize);
        let shifted = eyes.map(|eye| {
            let [from, to] = [self.keypoints[eye], seen.keypoints[eye]];
            ((to[0] - from[0]) / seen.bounds.width).hypot((to[1] - from[1]) / seen.bounds.height)
        });
        let points = (shifted[0].max(shifted[1]) / JUMP).powi(2).clamp(share, 1.0);
        let moved = |from: [f32; 2], to: [f32; 2]| {
            std::array::from_fn(|axis| from[axis] + points * (to[axis] - from[axis]))
        };
        Self {
            bounds: eased(&self.bounds, &seen.bounds, share),
            strongest: eased(&self.strongest, &seen.strongest, share),
            keypoints: std::array::from_fn(|point| moved(self.keypoints[point], seen.keypoints[point])),
            score: self.score + share * (seen.score - self.score),
        }
    }
}

/// The share of a change that is followed after a time, if 63 % of it are followed in the time constant.
pub(crate) fn share_after(elapsed: Duration, constant: Duration) -> f32 {
    1.0 - (-elapsed.div_duration_f32(constant)).exp()
}

/// Whether a box may be one that is expected, not quite where it was.
#[cfg(feature = "inference")]
fn agrees(expected: &FaceBox, found: &FaceBox) -> bool {
    let ratio = growth(expected, found).abs();
    movement(expected, found) <= AGREES_WITHIN && ratio <= AGREES_IN_SIZE.ln()
}

/// A box moved towards another: by `share` of a small difference, and by all of a large one.
fn eased(from: &FaceBox, to: &FaceBox, share: f32) -> FaceBox {
    let place = (movement(from, to) / JUMP).powi(2).clamp(share, 1.0);
    let grown = (to.width / from.width - 1.0).abs().max((to.height / from.height - 1.0).abs());
    let size = (grown / GROWTH).powi(2).clamp(share, 1.0);
    let between = |from: f32, to: f32, share: f32| from + share * (to - from);
    let [x, y] = [
        between(from.left + from.width / 2.0, to.left + to.width / 2.0, place),
        between(from.top + from.height / 2.0, to.top + to.height / 2.0, place),
    ];
    let (width, height) = (between(from.width, to.width, size), between(from.height, to.height, size));
    FaceBox { left: x - width / 2.0, top: y - height / 2.0, width, height }
}

/// Distance of the middles, in mean widths and heights, so that the frame's aspect ratio does not matter.
pub(crate) fn movement(from: &FaceBox, to: &FaceBox) -> f32 {
    let across = (to.left + to.width / 2.0) - (from.left + from.width / 2.0);
    let down = (to.top + to.height / 2.0) - (from.top + from.height / 2.0);
    let (width, height) = (f32::midpoint(from.width, to.width), f32::midpoint(from.height, to.height));
    (across / width).hypot(down / height)
}

/// Logarithm of the ratio of the sizes.
pub(crate) fn growth(from: &FaceBox, to: &FaceBox) -> f32 {
    ((to.width * to.height) / (from.width * from.height)).ln() / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(x: f32, size: f32) -> Candidate {
        let bounds = FaceBox { left: x - size / 2.0, top: 0.5 - size / 2.0, width: size, height: size };
        let eye = |side: f32| [x + side * size / 5.0, 0.5];
        let keypoints = [eye(-1.0), eye(1.0), [x, 0.5], [x, 0.5], eye(-2.0), eye(2.0)];
        Candidate { bounds, strongest: bounds, keypoints, score: 0.9 }
    }

    fn middle(face: &Candidate) -> f32 {
        face.strongest.left + face.strongest.width / 2.0
    }

    #[test]
    fn a_crop_hardly_follows_jitter_and_wholly_follows_a_move() {
        let expected = [face(0.3, 0.2), face(0.7, 0.2)];
        let jitters = face(0.704, 0.206).steadied(&expected);
        assert!((middle(&jitters) - 0.7).abs() < 0.0017 && (jitters.strongest.width - 0.2).abs() < 0.001);
        assert!((jitters.keypoints[0][0] - 0.66).abs() < 0.0017);
        let moves = face(0.72, 0.2).steadied(&expected);
        assert!((middle(&moves) - 0.72).abs() < 1e-6 && (moves.keypoints[0][0] - 0.68).abs() < 1e-6);
        let larger = face(0.7, 0.26).steadied(&expected);
        assert!((larger.strongest.width - 0.26).abs() < 1e-6);
    }

    #[test]
    fn what_nobody_expected_stays_where_it_was_found() {
        for found in [face(0.5, 0.2), face(0.7, 0.3), face(0.7, 0.13)] {
            assert_eq!(found.clone().steadied(&[face(0.7, 0.2)]), found);
        }
        assert_eq!(face(0.7, 0.2).steadied(&[]), face(0.7, 0.2));
    }
}
