//! A closer look at what a detector is not sure of, and at where a face is expected: which way up it is, and whether it
//! is one.

use std::f32::consts::FRAC_PI_2;

use mien_shared::FaceBox;

use crate::blazeface::{Candidate, decode, weighted_suppression};
use crate::detector::{Detector, each_once, swallows};
use crate::expression::tilt;
use crate::image::{Frame, Outside, Square, interleaved};
use crate::manifest::ModelId;
use crate::network::{InferenceError, Network, exactly};

/// A detector that is less sure of a face than this is asked again. On 108 pictures (portraits of 100 to 400 pixels in
/// 1280×720, galleries, turned pictures) all boxes without a face scored below this, from .5 to .73.
pub(super) const SURE: f32 = 0.8;
/// What the closer look finds is the same face from this overlap on.
const CONFIRMED_IOU: f32 = 0.4;
/// Side of the closer square, as a multiple of the longer side of the box.
const CLOSER: f32 = 1.6;
/// How much surer the detector must be of a turned face than of an upright one, or of one turned otherwise than it seemed.
const TURNED_AHEAD: f32 = 0.1;
/// A face of which the detector was never sure is not judged again each time, unless it is less sure by this.
const LESS_SURE: f32 = 0.1;
/// As many turned faces are looked for where they are expected, if the near detector sees nobody; of more, the far
/// detector costs less.
pub(super) const FOLLOWED: usize = 2;

/// A face of this share of the picture's longer side is the picture's subject: no smaller ones are searched for in
/// tiles.
pub(super) const PORTRAIT: f32 = 0.2;

/// Where doubtful faces were found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    Whole,
    /// In tiles of the frame, which are many chances to be wrong.
    Tiles,
}

impl Within {
    /// The score required of what replaces a doubtful face. All upright faces in the pictures described at [`SURE`]
    /// scored at least .81.
    const fn confirmed_from(self) -> f32 {
        match self {
            Self::Whole => 0.7,
            Self::Tiles => 0.75,
        }
    }
}

/// What is left of doubtful faces.
pub(super) struct Judged {
    pub(super) faces: Vec<Candidate>,
    /// Whether any of them is certain, or was confirmed.
    pub(super) is_confirmed: bool,
}

/// The near detector, for whole frames as well as for a closer look.
#[derive(Debug)]
pub(super) struct Closer {
    pub(super) network: Network,
    /// Reused from look to look.
    crop: Vec<f32>,
}

impl Closer {
    pub(super) const fn new(network: Network) -> Self {
        Self { network, crop: Vec::new() }
    }

    /// What the near detector finds where turned faces are expected: it misses them more often than upright ones.
    pub(super) fn still_turned(
        &mut self,
        frame: &Frame<'_>,
        expected: &[Candidate],
    ) -> Result<Vec<Candidate>, InferenceError> {
        let mut found = Vec::with_capacity(expected.len());
        for known in expected {
            let turn = quarters(frame, known);
            if turn == 0 {
                continue;
            }
            let seen = self.look_in(frame, &closer(frame, &known.bounds, turn))?;
            let is_known = |face: &Candidate| {
                face.score >= Within::Whole.confirmed_from()
                    && face.known_among(std::slice::from_ref(known)).is_some()
            };
            found.extend(seen.into_iter().find(is_known));
        }
        Ok(found)
    }

    /// What the near detector is sure of if the whole frame is turned. Of upside-down faces it misses many, and the far
    /// detector does as well.
    pub(super) fn turned(&mut self, frame: &Frame<'_>) -> Result<Vec<Candidate>, InferenceError> {
        let whole = FaceBox { left: 0.0, top: 0.0, width: 1.0, height: 1.0 };
        let mut best: Vec<Candidate> = Vec::new();
        for turn in 1..4 {
            let square = Square { side: frame.width().max(frame.height()), ..closer(frame, &whole, turn) };
            let mut found = self.look_in(frame, &square)?;
            found.retain(|face| face.score >= SURE);
            if found.first().map_or(0.0, |face| face.score) > best.first().map_or(0.0, |face| face.score) {
                best = found;
            }
        }
        Ok(best)
    }

    /// Looks again, closer, at faces that their detector is not sure of, and where one box swallows another face: what
    /// the near detector finds there replaces them. A face that lies on its side or is upside down is found upright in
    /// a turned square, with its eyes and mouth in the right place. Most frames have nothing doubtful, and pay nothing.
    /// `trusted` are expected faces that need not be confirmed again.
    pub(super) fn judged_again(
        &mut self,
        frame: &Frame<'_>,
        faces: &[Candidate],
        within: Within,
        expected: &[Candidate],
        trusted: &[Candidate],
    ) -> Result<Judged, InferenceError> {
        let swallowed =
            |face: &Candidate| faces.iter().any(|other| swallows(face, other) || swallows(other, face));
        let mut kept = Vec::with_capacity(faces.len());
        let (mut is_changed, mut unconfirmed) = (false, Vec::new());
        for face in faces {
            let own = quarters(frame, face);
            let was_turned = face.known_among(expected).map_or(0, |known| quarters(frame, known));
            // A camera that is turned: what the key points say is half the truth, but the right half.
            let turned = if own == 0 || expected.is_empty() { was_turned } else { own };
            let is_trusted =
                face.known_among(trusted).is_some_and(|known| face.score >= known.score - LESS_SURE);
            let is_sure = turned == 0 && (face.score >= SURE || is_trusted);
            if is_sure && !swallowed(face) {
                kept.push(face.clone());
                continue;
            }
            let found = self.look_closer(frame, face, within.confirmed_from(), turned)?;
            let is_upright = found
                .iter()
                .any(|(turn, found)| *turn == 0 && found.bounds.iou(&face.bounds) > CONFIRMED_IOU);
            if is_upright {
                kept.push(face.clone());
            } else if found.is_empty() {
                unconfirmed.push(face.clone());
            } else {
                is_changed = true;
                kept.extend(found.into_iter().map(|(_, found)| found));
            }
        }
        let is_confirmed = !kept.is_empty();
        // Small ones are dropped. A large one with no other face around may be a face that is blurred or in the dark.
        if kept.is_empty() && within == Within::Whole {
            unconfirmed.retain(|face| longer(frame, face) >= PORTRAIT);
            kept = unconfirmed;
        }
        let faces = if is_changed || faces.len() > 1 { each_once(kept) } else { kept };
        Ok(Judged { faces, is_confirmed })
    }

    /// What the near detector finds in a square around a face, in the rotation in which it is surest, and the number of
    /// quarter turns; in fractions of the frame. The rotation that it seems to have comes first.
    fn look_closer(
        &mut self,
        frame: &Frame<'_>,
        face: &Candidate,
        confirmed_from: f32,
        turned: u8,
    ) -> Result<Vec<(u8, Candidate)>, InferenceError> {
        let score = |found: &[Candidate]| found.first().map_or(0.0, |face| face.score);
        let mut best = (turned, self.look_in(frame, &closer(frame, &face.bounds, turned))?);
        if score(&best.1) < SURE {
            for turn in (0..4).filter(|turn| *turn != turned) {
                let found = self.look_in(frame, &closer(frame, &face.bounds, turn))?;
                // That is more likely.
                let ahead = if best.0 == turned { TURNED_AHEAD } else { 0.0 };
                if score(&found) > score(&best.1) + ahead {
                    best = (turn, found);
                }
            }
        }
        let (turn, found) = best;
        Ok(found.into_iter().filter(|face| face.score >= confirmed_from).map(|face| (turn, face)).collect())
    }

    /// What the near detector finds in a square, strongest first, in fractions of the frame.
    fn look_in(&mut self, frame: &Frame<'_>, square: &Square) -> Result<Vec<Candidate>, InferenceError> {
        let model = ModelId::Near;
        let input = model.info().input_shape[1];
        self.crop.clear();
        square.draw(frame, input, &mut self.crop);
        let pixels = interleaved(&self.crop, |value| value / 127.5 - 1.0);
        let [regressors, logits] = exactly(model, self.network.run(&pixels)?)?;
        let found = weighted_suppression(decode(&logits, &regressors, input));
        Ok(found.into_iter().map(|face| Detector::Near.calibrated(face).out_of(square, frame)).collect())
    }
}

/// The square that is looked at around a box, turned by quarters.
fn closer(frame: &Frame<'_>, bounds: &FaceBox, turn: u8) -> Square {
    let (width, height) = (frame.width(), frame.height());
    Square {
        centre: [(bounds.left + bounds.width / 2.0) * width, (bounds.top + bounds.height / 2.0) * height],
        side: CLOSER * (bounds.width * width).max(bounds.height * height),
        angle: f32::from(turn) * FRAC_PI_2,
        mirrored: false,
        outside: Outside::Black,
    }
}

/// By how many quarters a face is turned, clockwise, going by its eyes.
fn quarters(frame: &Frame<'_>, face: &Candidate) -> u8 {
    let turns = (tilt(frame, &face.keypoints) / FRAC_PI_2).round();
    (turns as i8).rem_euclid(4) as u8
}

/// The face's longer side in fractions of the picture's longer side.
pub(super) fn longer(frame: &Frame<'_>, face: &Candidate) -> f32 {
    let (width, height) = (frame.width(), frame.height());
    (face.bounds.width * width).max(face.bounds.height * height) / width.max(height)
}
