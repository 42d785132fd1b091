//! Which faces are hard to judge, and why. Pure.

use mien_models::{Detection, Doubt};
use mien_shared::Face;

/// What makes one face hard to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaceDoubts {
    pub id: u32,
    pub doubts: Vec<Doubt>,
}

/// The doubts about each face of a frame that has any. A face has no more than a smoothed box of the detection that it
/// comes from, so that is the one with which it shares most.
pub(super) fn doubts_of(faces: &[Face], detections: &[Detection]) -> Vec<FaceDoubts> {
    let of = |face: &Face| {
        let overlap = |detection: &&Detection| face.bounds.iou(&detection.bounds);
        let nearest = detections.iter().max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
        let doubts = nearest.filter(|nearest| overlap(nearest) > 0.0)?.doubts.clone();
        (!doubts.is_empty()).then_some(FaceDoubts { id: face.id, doubts })
    };
    faces.iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use mien_shared::{FaceBox, Scores};

    use super::*;

    const SCORES: Scores = Scores([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);

    fn detection(left: f32, doubts: Vec<Doubt>) -> Detection {
        Detection {
            strongest: None,
            landmarks: None,
            bounds: FaceBox::from([left, 0.2, 0.3, 0.3]),
            keypoints: Default::default(),
            score: 0.9,
            scores: SCORES,
            expression: None,
            quality: 0.2,
            doubts,
            look: None,
        }
    }

    fn face(id: u32, left: f32) -> Face {
        Face::new(id, FaceBox::from([left, 0.2, 0.3, 0.3]), None, SCORES)
    }

    #[test]
    fn each_face_has_the_doubts_of_its_own_detection() {
        let detections =
            [detection(0.6, vec![Doubt::Dark]), detection(0.1, vec![Doubt::TooSmall, Doubt::Cut])];
        let faces = [face(4, 0.12), face(7, 0.58)];
        let expected = [
            FaceDoubts { id: 4, doubts: vec![Doubt::TooSmall, Doubt::Cut] },
            FaceDoubts { id: 7, doubts: vec![Doubt::Dark] },
        ];
        assert_eq!(doubts_of(&faces, &detections), expected);
    }

    #[test]
    fn a_face_without_doubts_is_not_listed() {
        assert_eq!(doubts_of(&[face(1, 0.1)], &[detection(0.1, Vec::new())]), []);
        assert_eq!(doubts_of(&[face(1, 0.1)], &[detection(0.6, vec![Doubt::Dark])]), []);
        assert_eq!(doubts_of(&[face(1, 0.1)], &[]), []);
    }
}
