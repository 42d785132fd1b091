//! A frame in, the faces it shows out. Owns the networks and their buffers, and keeps nothing of a frame once
//! it has answered.

use mien_shared::{Expression, FaceBox};

use crate::blazeface::Candidate;
use crate::detection::{Detection, named, valid_box};
use crate::detector::Detector;
use crate::expression::{CROP_SIDE, Evidence, Look, Mouth, views, views_of_crop};
use crate::finder::{Finder, area};
use crate::image::{Frame, Square};
use crate::manifest::ModelId;
use crate::mesh::{LandmarkWeights, Mesh};
pub use crate::network::verify;
use crate::network::{InferenceError, ModelError, Network, exactly};
use crate::quality::{Quality, crop_quality, quality};
use crate::scope::Scope;

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

/// Which faces the landmark networks look at, once they are loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Landmarks {
    /// Those whose label depends on the mouth: one to five in a hundred.
    #[default]
    InDoubt,
    /// All of them, which a person's own neutral face requires.
    All,
}

/// What a frame shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Largest first.
    pub faces: Vec<Detection>,
    /// Number of smaller faces that were found beyond the requested number, and not read.
    pub left_out: usize,
}

/// Finds faces and reads their expressions. Each thread has its own; it is not shared.
#[derive(Debug)]
pub struct Analyzer {
    finder: Finder,
    expression: Network,
    mesh: Option<Mesh>,
    landmarks: Landmarks,
    /// The last view that was read; the buffer is reused from frame to frame, so that a steady camera allocates little.
    crop: Vec<f32>,
}

impl Analyzer {
    /// Loads networks whose bytes have already been verified.
    pub fn new(weights: &Weights<'_>) -> Result<Self, ModelError> {
        Ok(Self {
            finder: Finder::load(weights.near, weights.far)?,
            expression: Network::load(ModelId::Expression, weights.expression, &[Expression::COUNT])?,
            mesh: None,
            landmarks: Landmarks::default(),
            crop: Vec::new(),
        })
    }

    /// Loads networks after checking their bytes against the manifest's hashes.
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
        self.finder.add_far(far)
    }

    /// [`Analyzer::add_far`] after checking the bytes against the manifest's hash.
    pub fn add_far_verified(&mut self, far: &[u8]) -> Result<(), ModelError> {
        verify(ModelId::Far, far)?;
        self.add_far(far)
    }

    pub fn has_far(&self) -> bool {
        self.finder.has_far()
    }

    /// Adds the landmark networks, after checking their bytes against the manifest's hashes. Until then the corners of
    /// the mouth are not looked at.
    pub fn add_landmarks_verified(&mut self, weights: &LandmarkWeights<'_>) -> Result<(), ModelError> {
        verify(ModelId::Landmarks, weights.landmarks)?;
        verify(ModelId::Blendshapes, weights.blendshapes)?;
        self.add_landmarks(weights)
    }

    /// [`Analyzer::add_landmarks_verified`] with bytes that have already been verified.
    pub fn add_landmarks(&mut self, weights: &LandmarkWeights<'_>) -> Result<(), ModelError> {
        self.mesh = Some(Mesh::load(weights)?);
        Ok(())
    }

    pub fn has_landmarks(&self) -> bool {
        self.mesh.is_some()
    }

    pub fn look_at_landmarks_of(&mut self, landmarks: Landmarks) {
        self.landmarks = landmarks;
    }

    /// The `most` largest faces of a frame. Each costs two runs of the expression network.
    pub fn analyze(&mut self, frame: &Frame<'_>, scope: Scope, most: usize) -> Result<Seen, InferenceError> {
        self.analyze_expecting(frame, scope, most, &[])
    }

    /// The same, given where [`crate::Tracker::expected`] expects faces: a face that is about there is read in a square
    /// that does not waver with the detector's box, and one that was turned in earlier frames is looked for that way
    /// first. The boxes in the answer are what was found.
    pub fn analyze_expecting(
        &mut self,
        frame: &Frame<'_>,
        scope: Scope,
        most: usize,
        expected: &[Candidate],
    ) -> Result<Seen, InferenceError> {
        let mut found = self.finder.detect(frame, scope, expected)?;
        found.retain(|face| valid_box(face.bounds).is_some());
        found.sort_by(|a, b| area(b).total_cmp(&area(a)));
        let left_out = found.len().saturating_sub(most);
        found.truncate(most);
        let faces = found.iter().map(|face| self.judge(frame, face, expected)).collect::<Result<_, _>>()?;
        Ok(Seen { faces, left_out })
    }

    /// The expression of a picture that is itself one face crop: its box is the whole picture. If the detectors find a
    /// face that fills the picture, its square is that face's, because crops are cut more or less tightly. Otherwise
    /// the square is the whole picture, and the detectors serve only to find the eyes, and so the tilt. Without eyes
    /// nothing is turned.
    pub fn analyze_crop(&mut self, frame: &Frame<'_>) -> Result<Detection, InferenceError> {
        let face = self.finder.eyes(frame)?;
        let squares = match &face {
            Some(face) if fills(frame, face) => views(frame, face),
            _ => views_of_crop(frame, face.as_ref()),
        };
        let evidence = self.read(frame, &squares)?;
        let mouth = match &face {
            Some(face) => self.mouth(frame, face, &evidence)?,
            None => Mouth::Unasked,
        };
        let whole = FaceBox { left: 0.0, top: 0.0, width: 1.0, height: 1.0 };
        let quality = crop_quality(frame, face.as_ref(), self.last_view());
        Ok(Detection { strongest: None, ..detection(whole, face.as_ref(), (evidence, mouth), quality) })
    }

    /// Faces in fractions of the frame, before their expressions are read, in no particular order.
    pub fn detect(&mut self, frame: &Frame<'_>, scope: Scope) -> Result<Vec<Candidate>, InferenceError> {
        self.finder.detect(frame, scope, &[])
    }

    /// What one detector finds, in fractions of the frame; nothing if it is not loaded.
    pub fn detect_with(
        &mut self,
        detector: Detector,
        frame: &Frame<'_>,
    ) -> Result<Vec<Candidate>, InferenceError> {
        self.finder.detect_with(detector, frame)
    }

    fn judge(
        &mut self,
        frame: &Frame<'_>,
        face: &Candidate,
        expected: &[Candidate],
    ) -> Result<Detection, InferenceError> {
        let steady = face.steadied(expected);
        let evidence = self.read(frame, &views(frame, &steady))?;
        let mouth = self.mouth(frame, &steady, &evidence)?;
        let bounds = valid_box(face.bounds).unwrap_or(face.bounds);
        Ok(detection(bounds, Some(face), (evidence, mouth), quality(frame, &steady, self.last_view())))
    }

    fn read(&mut self, frame: &Frame<'_>, views: &[Square; 2]) -> Result<Evidence, InferenceError> {
        let mut answers = [[0.0; Expression::COUNT]; 2];
        // The order matters: the second view stays in the buffer for the quality to look at, as it has no black border.
        for (view, answer) in views.iter().zip(&mut answers) {
            self.crop.clear();
            view.draw(frame, CROP_SIDE, &mut self.crop);
            let [probabilities] = exactly(ModelId::Expression, self.expression.run(&self.crop)?)?;
            for (to, from) in answer.iter_mut().zip(probabilities) {
                *to = from;
            }
        }
        Evidence::of(&answers).ok_or_else(|| InferenceError {
            model: ModelId::Expression,
            cause: "its answer is not a number".to_owned(),
        })
    }

    fn mouth(
        &mut self,
        frame: &Frame<'_>,
        face: &Candidate,
        evidence: &Evidence,
    ) -> Result<Mouth, InferenceError> {
        match &mut self.mesh {
            Some(mesh) if self.landmarks == Landmarks::All || evidence.hangs_on_the_mouth() => {
                mesh.mouth(frame, face)
            }
            _ => Ok(Mouth::Unasked),
        }
    }

    fn last_view(&self) -> &[f32] {
        &self.crop
    }
}

/// Whether a face's square and the whole picture are about the same size. On the London faces, cut at .7 to 1.15 of
/// their square, accuracy is .868, .858, .868 and .853 with the face's own square, and .843, .843, .848 and .853 with
/// the whole picture.
fn fills(frame: &Frame<'_>, face: &Candidate) -> bool {
    let [square, _] = views(frame, face);
    (0.6..=1.3).contains(&(square.side / frame.width().max(frame.height())))
}

fn detection(
    bounds: FaceBox,
    face: Option<&Candidate>,
    (evidence, mouth): (Evidence, Mouth),
    Quality { value: quality, doubts }: Quality,
) -> Detection {
    let scores = evidence.scores(mouth);
    Detection {
        bounds,
        strongest: face.map(|face| face.strongest),
        keypoints: face.map_or([[0.5, 0.5]; 6], |face| face.keypoints),
        score: face.map_or(0.0, |face| face.score),
        scores,
        expression: named(&scores, quality),
        quality,
        doubts,
        look: Some(Look::of(&evidence, mouth)),
    }
}
