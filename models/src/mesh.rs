//! The two networks behind the landmarks: from a face to the corners of its mouth. Loaded only if landmarks are asked
//! for.

use crate::blazeface::Candidate;
use crate::expression::Mouth;
use crate::image::{Frame, interleaved};
use crate::landmarks::{BLENDSHAPES, CROP_SIDE, POINTS, smile, square, subset};
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

    pub(crate) fn mouth(&mut self, frame: &Frame<'_>, face: &Candidate) -> Result<Mouth, InferenceError> {
        self.crop.clear();
        square(frame, face).draw(frame, CROP_SIDE, &mut self.crop);
        let outputs = self.landmarks.run(&interleaved(&self.crop, |value| value / 255.0))?;
        let (points, presence) = (&outputs[0], outputs[1][0]);
        if presence.is_nan() || presence <= 0.0 {
            return Ok(Mouth::Hidden);
        }
        let blendshapes = self.blendshapes.run(&subset(points))?;
        Ok(Mouth::Smile(smile(&blendshapes[0])))
    }
}
