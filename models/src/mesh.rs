//! The two networks behind the landmarks: from a face to its points and coefficients. Loaded only if landmarks are asked
//! for.

use crate::blazeface::Candidate;
use crate::expression::Mouth;
use crate::image::{Frame, interleaved};
use crate::landmarks::{BLENDSHAPES, CROP_SIDE, Landmarked, POINTS, smile, square, subset};
use crate::manifest::ModelId;
use crate::network::{InferenceError, ModelError, Network};

/// The bytes of their ONNX files.
#[derive(Clone, Copy)]
pub struct LandmarkWeights<'a> {
    pub landmarks: &'a [u8],
    pub blendshapes: &'a [u8],
}

impl std::fmt::Debug for LandmarkWeights<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (landmarks, blendshapes) = (self.landmarks.len(), self.blendshapes.len());
        write!(f, "LandmarkWeights(landmarks {landmarks}, blendshapes {blendshapes} bytes)")
    }
}

#[derive(Debug)]
pub(crate) struct Mesh {
    landmarks: Network,
    blendshapes: Network,
    crop: Vec<f32>,
}

impl Mesh {
    pub(crate) fn load(weights: &LandmarkWeights<'_>) -> Result<Self, ModelError> {
        // Points, presence and a number whose meaning is unknown.
        let landmarks = Network::load(ModelId::Landmarks, weights.landmarks, &[3 * POINTS, 1, 1])?;
        let blendshapes = Network::load(ModelId::Blendshapes, weights.blendshapes, &[BLENDSHAPES])?;
        Ok(Self { landmarks, blendshapes, crop: Vec::new() })
    }

    /// The corners of the mouth, and everything else that was measured; nothing if there is no face.
    pub(crate) fn look(
        &mut self,
        frame: &Frame<'_>,
        face: &Candidate,
    ) -> Result<(Mouth, Option<Landmarked>), InferenceError> {
        self.crop.clear();
        let square = square(frame, face);
        square.draw(frame, CROP_SIDE, &mut self.crop);
        let outputs = self.landmarks.run(&interleaved(&self.crop, |value| value / 255.0))?;
        let (points, presence) = (&outputs[0], outputs[1][0]);
        if presence.is_nan() || presence <= 0.0 {
            return Ok((Mouth::Hidden, None));
        }
        let blendshapes = self.blendshapes.run(&subset(points))?;
        let landmarked = Landmarked::of(points, &blendshapes[0], &square, frame);
        Ok((Mouth::Smile(smile(&blendshapes[0])), landmarked))
    }
}

#[cfg(test)]
#[cfg(feature = "cli")]
mod tests {
    use super::*;
    use crate::landmarks::SUBSET;
    use crate::weights::LANDMARKS;

    /// The upper and the lower lid of the person's left eye, from outside in.
    const LEFT_LIDS: [[usize; 2]; 7] =
        [[466, 249], [388, 390], [387, 373], [386, 374], [385, 380], [384, 381], [398, 382]];
    const RIGHT_LIDS: [[usize; 2]; 7] =
        [[246, 7], [161, 163], [160, 144], [159, 145], [158, 153], [157, 154], [173, 155]];

    fn points(mesh: &mut Mesh) -> Vec<f32> {
        let picture = image::load_from_memory(include_bytes!("../tests/data/grace_hopper_256.png")).unwrap();
        let planes = picture.resize_exact(256, 256, image::imageops::FilterType::Triangle).into_rgb8();
        let input: Vec<f32> = planes.as_raw().iter().map(|byte| f32::from(*byte) / 255.0).collect();
        mesh.landmarks.run(&input).unwrap().swap_remove(0)
    }

    /// Left and right are the person's own: with the lids of one eye laid on each other, that eye is closed.
    #[test]
    fn an_eye_that_is_closed_is_the_one_that_is_told() {
        let mut mesh = Mesh::load(&LANDMARKS).unwrap();
        let open = points(&mut mesh);
        let mut blinks = |lids: &[[usize; 2]]| {
            let mut points = open.clone();
            for &[upper, lower] in lids {
                for axis in 0..2 {
                    let (up, down) = (points[3 * upper + axis], points[3 * lower + axis]);
                    let meet = up + 0.8 * (down - up);
                    (points[3 * upper + axis], points[3 * lower + axis]) = (meet, meet);
                }
            }
            let blendshapes = mesh.blendshapes.run(&subset(&points)).unwrap().swap_remove(0);
            [blendshapes[9], blendshapes[10]]
        };
        let [left, right] = blinks(&[]);
        assert!(left < 0.3 && right < 0.3, "open: {left} {right}");
        let [left, right] = blinks(&LEFT_LIDS);
        assert!(left > 0.5 && left > right + 0.2, "left: {left} {right}");
        let [left, right] = blinks(&RIGHT_LIDS);
        assert!(right > 0.5 && right > left + 0.2, "right: {left} {right}");
        let [left, right] = blinks(&[LEFT_LIDS, RIGHT_LIDS].concat());
        assert!(left > 0.5 && right > 0.5, "both: {left} {right}");
        assert!(LEFT_LIDS.iter().flatten().all(|point| SUBSET.contains(point)));
    }
}
