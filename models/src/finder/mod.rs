//! Finds the faces of a frame with one detector or both. Owns their networks.

mod closer;

use crate::blazeface::{ANCHORS, Candidate, REGRESSORS, SAME_FACE_IOU, decode, weighted_suppression};
use crate::detector::{Detector, NEAR_RANGE, each_once, merged, swallows};
use crate::image::{Frame, Letterbox, Outside, Square, interleaved};
use crate::manifest::ModelId;
use crate::network::{InferenceError, ModelError, Network, exactly};
use crate::scope::Scope;
use closer::{Closer, FOLLOWED, Judged, PORTRAIT, SURE, Within, longer};

/// Anchors of the 16×16 grid, which the far network outputs separately from the rest.
const FINE_ANCHORS: usize = 512;
/// How much of the square a tight crop fills when it is looked at again: the detectors need some room around a face.
const PADDED: f32 = 0.6;
/// Side of a tile in pixels: the far detector finds faces from a twenty-fifth of it on.
const TILE: f32 = 320.0;
/// Tiles along the longer side of a large picture, before they overlap by a third.
const TILES_ACROSS: f32 = 5.0;
const FROM_IN_TILES: f32 = 0.6;

#[derive(Debug)]
pub(crate) struct Finder {
    near: Closer,
    far: Option<Network>,
    // Reused from frame to frame, so that a steady camera allocates little.
    square: Vec<f32>,
    row: Vec<f32>,
    crop: Vec<f32>,
}

impl Finder {
    pub(crate) fn load(near: &[u8], far: Option<&[u8]>) -> Result<Self, ModelError> {
        let outputs = [ANCHORS * REGRESSORS, ANCHORS];
        let near = Closer::new(Network::load(ModelId::Near, near, &outputs)?);
        let mut finder = Self { near, far: None, square: Vec::new(), row: Vec::new(), crop: Vec::new() };
        if let Some(far) = far {
            finder.add_far(far)?;
        }
        Ok(finder)
    }

    pub(crate) fn add_far(&mut self, far: &[u8]) -> Result<(), ModelError> {
        let coarse = ANCHORS - FINE_ANCHORS;
        let outputs = [FINE_ANCHORS, FINE_ANCHORS * REGRESSORS, coarse * REGRESSORS, coarse];
        self.far = Some(Network::load(ModelId::Far, far, &outputs)?);
        Ok(())
    }

    pub(crate) fn has_far(&self) -> bool {
        self.far.is_some()
    }

    /// Faces in fractions of the frame, before their expressions are read, in no particular order. `expected` are faces
    /// of the frames before: empty for a picture.
    pub(crate) fn detect(
        &mut self,
        frame: &Frame<'_>,
        scope: Scope,
        expected: &[Candidate],
    ) -> Result<Vec<Candidate>, InferenceError> {
        let whole = Letterbox::new(frame, 1.0);
        let near = self.look(Detector::Near, frame, &whole)?;
        let is_near = expected.iter().all(|known| longer(frame, known) >= NEAR_RANGE);
        if scope == Scope::Near && !near.is_empty() && is_near {
            let found: Vec<Candidate> = near.iter().map(|face| face.in_frame(&whole)).collect();
            let judged = self.near.judged_again(frame, &found, Within::Whole, expected, expected)?;
            // What is no face may hide that the near detector sees nobody.
            if judged.is_confirmed {
                return Ok(judged.faces);
            }
        }
        if scope == Scope::Near && (1..=FOLLOWED).contains(&expected.len()) {
            let followed = self.near.still_turned(frame, expected)?;
            if followed.len() == expected.len() {
                return Ok(followed);
            }
        }
        let faces = merged(near, self.look(Detector::Far, frame, &whole)?);
        let found: Vec<Candidate> = faces.iter().map(|face| face.in_frame(&whole)).collect();
        // Once in a while there is a wide search, which takes nothing for granted.
        let trusted = if scope == Scope::Near { expected } else { &[] };
        let Judged { mut faces, is_confirmed } =
            self.near.judged_again(frame, &found, Within::Whole, expected, trusted)?;
        // An empty room is not turned round in every frame.
        if !is_confirmed && (scope != Scope::Near || !expected.is_empty()) {
            let turned = self.near.turned(frame)?;
            faces = if turned.is_empty() { faces } else { turned };
        }
        if scope != Scope::Thorough || faces.iter().any(|face| longer(frame, face) >= PORTRAIT) {
            return Ok(faces);
        }
        let more = self.in_tiles(frame, &faces)?;
        Ok(each_once([faces, self.near.judged_again(frame, &more, Within::Tiles, &[], &[])?.faces].concat()))
    }

    /// Small faces that the far detector finds in overlapping tiles of the frame, besides those already known.
    fn in_tiles(&mut self, frame: &Frame<'_>, known: &[Candidate]) -> Result<Vec<Candidate>, InferenceError> {
        let Some(far) = &mut self.far else { return Ok(Vec::new()) };
        let model = ModelId::Far;
        let input = model.info().input_shape[1];
        let (width, height) = (frame.width(), frame.height());
        let side = TILE.max(width.max(height) / TILES_ACROSS);
        let mut found = Vec::new();
        for down in places(height, side) {
            for across in places(width, side) {
                let tile = Square {
                    centre: [across, down],
                    side,
                    angle: 0.0,
                    mirrored: false,
                    outside: Outside::Black,
                };
                self.crop.clear();
                tile.draw(frame, input, &mut self.crop);
                let outputs = far.run(&interleaved(&self.crop, |value| value / 127.5 - 1.0))?;
                let (logits, regressors) = far_outputs(outputs)?;
                let faces = weighted_suppression(decode(&logits, &regressors, input));
                found.extend(faces.into_iter().filter(|face| face.score >= FROM_IN_TILES).map(|face| {
                    // Forces a second look, whatever its score.
                    let score = face.score.min(SURE - 0.01);
                    Candidate { score, ..Detector::Far.calibrated(face).out_of(&tile, frame) }
                }));
            }
        }
        let is_new = |face: &Candidate| {
            !known.iter().any(|known| known.bounds.iou(&face.bounds) > SAME_FACE_IOU || swallows(face, known))
        };
        Ok(each_once(found.into_iter().filter(is_new).collect()))
    }

    /// What one detector finds, in fractions of the frame; nothing if it is not loaded.
    pub(crate) fn detect_with(
        &mut self,
        detector: Detector,
        frame: &Frame<'_>,
    ) -> Result<Vec<Candidate>, InferenceError> {
        let whole = Letterbox::new(frame, 1.0);
        Ok(self.look(detector, frame, &whole)?.iter().map(|face| face.in_frame(&whole)).collect())
    }

    /// The face of a picture that is one face crop.
    pub(crate) fn eyes(&mut self, frame: &Frame<'_>) -> Result<Option<Candidate>, InferenceError> {
        for fill in [1.0, PADDED] {
            let letterbox = Letterbox::new(frame, fill);
            let mut faces = self.look(Detector::Near, frame, &letterbox)?;
            if faces.is_empty() {
                faces = self.look(Detector::Far, frame, &letterbox)?;
            }
            // A crop holds one face: anything else that was found is smaller.
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
        let Self { near, far, square, row, .. } = self;
        let Some(network) = (match detector {
            Detector::Near => Some(&mut near.network),
            Detector::Far => far.as_mut(),
        }) else {
            return Ok(Vec::new());
        };
        letterbox.draw(frame, side, square, row);
        let outputs = network.run(square)?;
        let (logits, regressors) = match detector {
            Detector::Near => {
                let [regressors, logits] = exactly(model, outputs)?;
                (logits, regressors)
            }
            Detector::Far => far_outputs(outputs)?,
        };
        let faces = weighted_suppression(decode(&logits, &regressors, side));
        Ok(faces.into_iter().map(|face| detector.calibrated(face)).collect())
    }
}

pub(crate) fn area(face: &Candidate) -> f32 {
    face.bounds.width * face.bounds.height
}

/// Middles of tiles that cover a length and overlap by a third or more.
fn places(length: f32, side: f32) -> Vec<f32> {
    if length <= side {
        return vec![length / 2.0];
    }
    let steps = ((length - side) / (side * 2.0 / 3.0)).ceil();
    (0..=steps as usize).map(|step| side / 2.0 + step as f32 * (length - side) / steps).collect()
}

fn far_outputs(outputs: Vec<Vec<f32>>) -> Result<(Vec<f32>, Vec<f32>), InferenceError> {
    let [fine_logits, fine_regressors, coarse_regressors, coarse_logits] = exactly(ModelId::Far, outputs)?;
    Ok(([fine_logits, coarse_logits].concat(), [fine_regressors, coarse_regressors].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_picture_and_overlap() {
        assert_eq!(places(300.0, 320.0), [150.0]);
        for length in [321.0, 640.0, 1_280.0, 720.0] {
            let places = places(length, 320.0);
            assert!((places[0] - 160.0).abs() < 1e-3);
            assert!((places.last().copied().unwrap_or_default() - (length - 160.0)).abs() < 1e-3);
            assert!(places.windows(2).all(|pair| pair[1] - pair[0] <= 214.0), "{places:?}");
        }
    }
}
