//! What the networks say of one face in one frame: the answer a worker sends to the page. No identity over
//! time (that is the [tracker](crate::tracker)'s) and no pixels.

use mien_shared::limits::BOX_RANGE;
use mien_shared::{Expression, FaceBox, Scores};
use serde::{Deserialize, Serialize};

/// Below this calibrated confidence the analyser abstains. On 1,488 faces .73 of all answers lie above it,
/// and .785 of those are right.
pub const ABSTAIN_BELOW: f32 = 0.5;

/// One face found in one frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// In fractions of the frame.
    #[serde(rename = "box")]
    pub bounds: FaceBox,
    /// `[x, y]` in fractions of the frame, in the order of [`Keypoint`].
    pub keypoints: [[f32; 2]; Keypoint::COUNT],
    /// The detector's confidence that this is a face, 0 … 1.
    pub score: f32,
    /// Calibrated probabilities that sum to 1.
    pub scores: Scores,
    /// The likeliest expression, or `None` below [`ABSTAIN_BELOW`].
    pub expression: Option<Expression>,
    /// How far this face can be judged, 0 … 1: see [`crate::quality`].
    pub quality: f32,
}

/// The detector's six key points. Right and left are the person's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keypoint {
    RightEye,
    LeftEye,
    Nose,
    Mouth,
    RightEar,
    LeftEar,
}

impl Keypoint {
    pub const COUNT: usize = 6;
}

/// The likeliest expression where it is likely enough to be said.
pub fn named(scores: &Scores) -> Option<Expression> {
    let (expression, confidence) = scores.top();
    (confidence >= ABSTAIN_BELOW).then_some(expression)
}

/// The box as the contract allows it, or `None` for one that is not a place in the frame.
pub(crate) fn valid_box(bounds: FaceBox) -> Option<FaceBox> {
    let sides: [f32; 4] = bounds.into();
    if sides.iter().any(|side| !side.is_finite()) {
        return None;
    }
    let clamp = |side: f32| side.clamp(*BOX_RANGE.start(), *BOX_RANGE.end());
    let kept = FaceBox::from(sides.map(clamp));
    (kept.width > 0.0 && kept.height > 0.0).then_some(kept)
}
