//! Which of several faces is the person that the figures are about: the one who is nearest, and certainly and clearly a
//! face. By size alone, a poster or a box from head to waist would speak for the person before it.

use crate::sample::Face;

/// Detectors report no face that they are less sure of, …
const LEAST_CERTAIN: f32 = 0.5;
/// … and seldom a wrong one from here on.
const CERTAIN: f32 = 0.85;
/// What a face still counts for if its detector, or its quality, could hardly be worse.
const LEAST: f32 = 0.15;
/// How much more another face must count to take over: two people side by side must not take turns.
const TAKES_OVER: f32 = 1.3;

/// The face that speaks for the person, `None` if there is none. `current` is the identity that did so far; `certainty`
/// says of an identity how sure the detector is, 0 … 1, where that is known.
pub fn speaker(
    faces: &[Face],
    certainty: impl Fn(u32) -> Option<f32>,
    current: Option<u32>,
) -> Option<&Face> {
    let weight = |face: &Face| {
        let side = (face.bounds.width * face.bounds.height).max(0.0).sqrt();
        let certain = certainty(face.id)
            .map_or(1.0, |score| ((score - LEAST_CERTAIN) / (CERTAIN - LEAST_CERTAIN)).clamp(LEAST, 1.0));
        let clear = LEAST + (1.0 - LEAST) * face.quality.unwrap_or(1.0).clamp(0.0, 1.0);
        let kept = if Some(face.id) == current { TAKES_OVER } else { 1.0 };
        side * certain * clear * kept
    };
    faces.iter().max_by(|a, b| weight(a).total_cmp(&weight(b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FaceBox, Scores};

    fn face(id: u32, side: f32, quality: f32) -> Face {
        let bounds = FaceBox { left: 0.0, top: 0.0, width: side, height: side };
        let scores = Scores([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        Face { quality: Some(quality), ..Face::new(id, bounds, None, scores) }
    }

    #[track_caller]
    fn speaks(faces: &[Face], scores: &[f32], current: Option<u32>, expected: u32) {
        let certainty = |id: u32| scores.get(id as usize - 1).copied();
        assert_eq!(speaker(faces, certainty, current).map(|face| face.id), Some(expected));
    }

    #[test]
    fn the_nearest_of_equally_clear_faces_speaks() {
        speaks(&[face(1, 0.1, 0.9), face(2, 0.3, 0.9), face(3, 0.2, 0.9)], &[], None, 2);
        assert_eq!(speaker(&[], |_| None, Some(1)), None);
    }

    #[test]
    fn what_is_larger_but_hardly_a_face_or_hardly_seen_does_not() {
        let (person, phantom) = (face(1, 0.1, 0.7), face(2, 0.25, 0.9));
        speaks(&[person.clone(), phantom], &[0.93, 0.56], None, 1);
        speaks(&[person, face(2, 0.2, 0.05)], &[0.93, 0.9], None, 1);
    }

    #[test]
    fn two_people_side_by_side_do_not_take_turns() {
        for wavers in [0.9, 1.0, 1.1, 1.2] {
            speaks(&[face(1, 0.2, 0.8), face(2, 0.2 * wavers, 0.8)], &[0.9, 0.9], Some(1), 1);
            speaks(&[face(1, 0.2 * wavers, 0.8), face(2, 0.2, 0.8)], &[0.9, 0.9], Some(2), 2);
        }
        speaks(&[face(1, 0.2, 0.8), face(2, 0.28, 0.8)], &[0.9, 0.9], Some(1), 2);
        speaks(&[face(2, 0.1, 0.8)], &[], Some(1), 2);
    }
}
