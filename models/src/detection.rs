//! What the networks say about one face in one frame: the answer that a worker sends to the page. Holds no identity
//! over time (the [tracker](crate::tracker) owns that) and no pixels.

use mien_shared::limits::BOX_RANGE;
use mien_shared::{Expression, FaceBox, Scores};
use serde::{Deserialize, Serialize};

use crate::expression::{Look, Neutral};
use crate::keypoint::Keypoint;
use crate::landmarks::Landmarked;
use crate::quality::Doubt;

/// Below this calibrated confidence the analyser abstains. On 1,488 faces .75 of all answers lie above it,
/// and .778 of those are right.
pub const ABSTAIN_BELOW: f32 = 0.5;

/// Below this quality no expression is reported, however sure the network is: a face of less than 28 pixels, blurred by
/// .05 of its size, or with .29 of it cut off by the frame. Of what the network is sure of, .87 is right above this line on
/// London faces made worse (`examples/degraded`). Below it lie the kinds in which that falls to chance, one in seven: .33
/// with a blur of .08, .05 with half the face cut off at the bottom.
pub const JUDGED_FROM: f32 = 0.1;
/// A look of at least this quality counts towards a person's neutral face.
const FIT_FROM: f32 = 0.6;

/// One face found in one frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// In fractions of the frame.
    #[serde(rename = "box")]
    pub bounds: FaceBox,
    /// The detector's strongest box, from which the crop was cut; absent for a picture that is itself a crop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strongest: Option<FaceBox>,
    /// `[x, y]` in fractions of the frame, in the order of [`Keypoint`].
    pub keypoints: [[f32; 2]; Keypoint::COUNT],
    /// The detector's confidence that this is a face, 0 … 1.
    pub score: f32,
    /// Calibrated probabilities that sum to 1.
    pub scores: Scores,
    /// The likeliest expression, or `None` below [`ABSTAIN_BELOW`] or [`JUDGED_FROM`].
    pub expression: Option<Expression>,
    /// How well this face can be judged, 0 … 1: see [`crate::quality`].
    pub quality: f32,
    /// What lowers the quality.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Doubt>,
    /// What [`Neutral`] is made from, and applied to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<Look>,
    /// If they were looked for in this frame, and found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landmarks: Option<Box<Landmarked>>,
}

impl Detection {
    /// Reads the same face against the person's own neutral one.
    pub fn read_against(&mut self, neutral: &Neutral) {
        if let Some(look) = &self.look {
            self.scores = neutral.applied(&self.scores, look);
            self.expression = named(&self.scores, self.quality);
        }
    }

    /// Whether this look may count towards the person's neutral face: frontal, well lit, large and sharp enough, not
    /// cut off.
    pub fn is_fit_for_neutral(&self) -> bool {
        self.look.is_some() && self.doubts.is_empty() && self.quality >= FIT_FROM
    }
}

/// The likeliest expression, if it is likely enough to be reported and the face can be judged.
pub fn named(scores: &Scores, quality: f32) -> Option<Expression> {
    let (expression, confidence) = scores.top();
    (confidence >= ABSTAIN_BELOW && quality >= JUDGED_FROM).then_some(expression)
}

/// The box in the form that the contract allows, or `None` if it is no place within the frame.
pub(crate) fn valid_box(bounds: FaceBox) -> Option<FaceBox> {
    let sides: [f32; 4] = bounds.into();
    if sides.iter().any(|side| !side.is_finite()) {
        return None;
    }
    let clamp = |side: f32| side.clamp(*BOX_RANGE.start(), *BOX_RANGE.end());
    let kept = FaceBox::from(sides.map(clamp));
    (kept.width > 0.0 && kept.height > 0.0).then_some(kept)
}
