//! A frame in, the faces it shows out. Owns the networks and their buffers, and keeps nothing of a frame once
//! it has answered.

use mien_shared::{Expression, FaceBox};

use crate::blazeface::{ANCHORS, Candidate, REGRESSORS, decode, weighted_suppression};
use crate::detection::{Detection, named, valid_box};
use crate::detector::{Detector, merged};
use crate::expression::{CROP_SIDE, combine, views, views_of_crop};
use crate::image::{Frame, Letterbox, Square};
use crate::manifest::ModelId;
pub use crate::network::verify;
use crate::network::{InferenceError, ModelError, Network};
use crate::quality::{crop_quality, quality};
use crate::scope::Scope;

/// Anchors of the 16×16 grid, which the far network answers apart from the rest.
const FINE_ANCHORS: usize = 512;
/// How much of the square a tight crop fills when it is looked at again: the detectors want room about a face.
const PADDED: f32 = 0.6;

/// The bytes of the ONNX files.
#[derive(Clone, Copy)]
pub struct Weights<'a> {
    pub near: &'a [u8],
    pub expression: &'a [u8],
    /// May come later through [`Analyzer::add_far`], so that a page can show its first face sooner.
    pub far: Option<&'a [u8]>,
}

impl std::fmt::Debug for Weights<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let far = self.far.map(<[u8]>::len);
        write!(
            f,
            "Weights(near {}, expression {}, far {far:?} bytes)",
            self.near.len(),
            self.expression.len()
        )
    }
}

/// What a frame shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Largest first.
    pub faces: Vec<Detection>,
    /// Smaller faces that were found beyond the number asked for, and not read.
    pub left_out: usize,
}

/// Finds faces and reads their expressions. One for each thread; it is not shared.
#[derive(Debug)]
pub struct Analyzer {
    near: Network,
    far: Option<Network>,
    expression: Network,
    buffers: Buffers,
}

/// Kept from frame to frame, so that a steady camera allocates little.
#[derive(Debug, Default)]
struct Buffers {
    square: Vec<f32>,
    row: Vec<f32>,
    crop: Vec<f32>,
}

impl Analyzer {
    /// Loads networks whose bytes are already known to be right.
    pub fn new(weights: &Weights<'_>) -> Result<Self, ModelError> {
        let detector = [ANCHORS * REGRESSORS, ANCHORS];
        let mut analyzer = Self {
            near: Network::load(ModelId::Near, weights.near, &detector)?,
            far: None,
            expression: Network::load(ModelId::Expression, weights.expression, &[Expression::COUNT])?,
            buffers: Buffers::default(),
        };
        if let Some(far) = weights.far {
            analyzer.add_far(far)?;
        }
        Ok(analyzer)
    }

    /// Loads networks after holding their bytes to the manifest's hashes.
    pub fn new_verified(weights: &Weights<'_>) -> Result<Self, ModelError> {
        verify(ModelId::Near, weights.near)?;
        verify(ModelId::Expression, weights.expression)?;
        if let Some(far) = weights.far {
            verify(ModelId::Far, far)?;
        }
        Self::new(weights)
    }

    /// Adds the far detector. Until then both scopes look with the near one alone.
    pub fn add_far(&mut self, far: &[u8]) -> Result<(), ModelError> {
        let coarse = ANCHORS - FINE_ANCHORS;
        let outputs = [FINE_ANCHORS, FINE_ANCHORS * REGRESSORS, coarse * REGRESSORS, coarse];
        self.far = Some(Network::load(ModelId::Far, far, &outputs)?);
        Ok(())
    }

    /// [`Analyzer::add_far`] after holding the bytes to the manifest's hash.
    pub fn add_far_verified(&mut self, far: &[u8]) -> Result<(), ModelError> {
        verify(ModelId::Far, far)?;
        self.add_far(far)
    }

    pub fn has_far(&self) -> bool {
        self.far.is_some()
    }

    /// The faces of a frame, the `most` largest of them. Each costs two runs of the expression network.
    pub fn analyze(&mut self, frame: &Frame<'_>, scope: Scope, most: usize) -> Result<Seen, InferenceError> {
        let mut found = self.detect(frame, scope)?;
        found.retain(|face| valid_box(face.bounds).is_some());
        found.sort_by(|a, b| area(b).total_cmp(&area(a)));
        let left_out = found.len().saturating_sub(most);
        found.truncate(most);
        let faces = found.iter().map(|face| self.judge(frame, face)).collect::<Result<_, _>>()?;
        Ok(Seen { faces, left_out })
    }

    /// The expression of a picture that is itself one face crop: its box is the whole picture. The detectors
    /// serve only to find the eyes, and so the tilt; without eyes nothing is turned.
    pub fn analyze_crop(&mut self, frame: &Frame<'_>) -> Result<Detection, InferenceError> {
        let face = self.eyes(frame)?;
        let scores = self.read(frame, &views_of_crop(frame, face.as_ref()))?;
        Ok(Detection {
            bounds: FaceBox { left: 0.0, top: 0.0, width: 1.0, height: 1.0 },
            keypoints: face.as_ref().map_or([[0.5, 0.5]; 6], |face| face.keypoints),
            score: face.as_ref().map_or(0.0, |face| face.score),
            expression: named(&scores),
            scores,
            quality: crop_quality(frame, face.as_ref(), self.first_view()),
        })
    }

    /// Faces in fractions of the frame, before their expressions are read, in no order.
    pub fn detect(&mut self, frame: &Frame<'_>, scope: Scope) -> Result<Vec<Candidate>, InferenceError> {
        let whole = Letterbox::new(frame, 1.0);
        let near = self.look(Detector::Near, frame, &whole)?;
        let faces = if scope == Scope::Full || near.is_empty() {
            merged(near, self.look(Detector::Far, frame, &whole)?)
        } else {
            near
        };
        Ok(faces.iter().map(|face| face.in_frame(&whole)).collect())
    }

    /// What one detector finds, in fractions of the frame; nothing while it is not loaded.
    pub fn detect_with(
        &mut self,
        detector: Detector,
        frame: &Frame<'_>,
    ) -> Result<Vec<Candidate>, InferenceError> {
        let whole = Letterbox::new(frame, 1.0);
        Ok(self.look(detector, frame, &whole)?.iter().map(|face| face.in_frame(&whole)).collect())
    }

    fn eyes(&mut self, frame: &Frame<'_>) -> Result<Option<Candidate>, InferenceError> {
        for fill in [1.0, PADDED] {
            let letterbox = Letterbox::new(frame, fill);
            let mut faces = self.look(Detector::Near, frame, &letterbox)?;
            if faces.is_empty() {
                faces = self.look(Detector::Far, frame, &letterbox)?;
            }
            // A crop holds one face: whatever else was found is smaller.
            if let Some(face) = faces.iter().max_by(|a, b| area(a).total_cmp(&area(b))) {
                return Ok(Some(face.in_frame(&letterbox)));
            }
        }
        Ok(None)
    }

    /// Faces in fractions of the detector's square, strongest first.
    fn look(
        &mut self,
        detector: Detector,
        frame: &Frame<'_>,
        letterbox: &Letterbox,
    ) -> Result<Vec<Candidate>, InferenceError> {
        let model = detector.model();
        let side = model.info().input_shape[1];
        let Self { near, far, buffers, .. } = self;
        let Some(network) = (match detector {
            Detector::Near => Some(near),
            Detector::Far => far.as_mut(),
        }) else {
            return Ok(Vec::new());
        };
        letterbox.draw(frame, side, &mut buffers.square, &mut buffers.row);
        let outputs = network.run(&buffers.square)?;
        let (logits, regressors) = match detector {
            Detector::Near => {
                let [regressors, logits] = exactly(model, outputs)?;
                (logits, regressors)
            }
            Detector::Far => {
                let [fine_logits, fine_regressors, coarse_regressors, coarse_logits] =
                    exactly(model, outputs)?;
                ([fine_logits, coarse_logits].concat(), [fine_regressors, coarse_regressors].concat())
            }
        };
        let faces = weighted_suppression(decode(&logits, &regressors, side));
        Ok(faces.into_iter().map(|face| detector.calibrated(face)).collect())
    }

    fn judge(&mut self, frame: &Frame<'_>, face: &Candidate) -> Result<Detection, InferenceError> {
        let scores = self.read(frame, &views(frame, face))?;
        Ok(Detection {
            bounds: valid_box(face.bounds).unwrap_or(face.bounds),
            keypoints: face.keypoints,
            score: face.score,
            expression: named(&scores),
            scores,
            quality: quality(frame, face, self.first_view()),
        })
    }

    fn read(
        &mut self,
        frame: &Frame<'_>,
        views: &[Square; 2],
    ) -> Result<mien_shared::Scores, InferenceError> {
        let mut answers = [[0.0; Expression::COUNT]; 2];
        // Backwards, so that the first view stays in the buffer for the quality to look at.
        for (view, answer) in views.iter().zip(&mut answers).rev() {
            self.buffers.crop.clear();
            view.draw(frame, CROP_SIDE, &mut self.buffers.crop);
            let [probabilities] = exactly(ModelId::Expression, self.expression.run(&self.buffers.crop)?)?;
            for (to, from) in answer.iter_mut().zip(probabilities) {
                *to = from;
            }
        }
        combine(&answers).ok_or_else(|| InferenceError {
            model: ModelId::Expression,
            cause: "its answer is not a number".to_owned(),
        })
    }

    fn first_view(&self) -> &[f32] {
        &self.buffers.crop
    }
}

fn area(face: &Candidate) -> f32 {
    face.bounds.width * face.bounds.height
}

/// The outputs by name. Loading has checked their number, so another is a fault of the network.
fn exactly<const N: usize>(model: ModelId, outputs: Vec<Vec<f32>>) -> Result<[Vec<f32>; N], InferenceError> {
    outputs.try_into().map_err(|outputs: Vec<_>| InferenceError {
        model,
        cause: format!("{N} outputs expected, {} given", outputs.len()),
    })
}
