//! From the 478 points of a face and the 52 coefficients that a second network makes of them to what a sample carries:
//! head pose, blinks, gaze. Runs no network.
//!
//! Left and right are the person's own, as in MediaPipe's names, except in a direction: those are the picture's.

mod canonical;
mod crop;
mod gaze;
mod held;
mod measure;
mod outline;
mod pose;

use serde::{Deserialize, Serialize};

pub use crop::{BLENDSHAPES, CROP_SIDE, POINTS, SUBSET, smile, square, subset};
pub use held::HELD_FOR;
pub(crate) use held::Held;
pub use measure::Landmarked;
pub use outline::Outline;
pub use pose::Pose;

/// Which faces the landmark networks look at, once they are loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Landmarks {
    /// Those whose label depends on the mouth: one to five in a hundred.
    #[default]
    InDoubt,
    /// All of them, which head pose and a person's own neutral face require.
    All,
}
