//! What the networks' numbers say about one face.

use mien_shared::{Coefficients, FaceLandmarks};
use serde::{Deserialize, Serialize};

use super::gaze::gaze;
use super::outline::Outline;
use super::pose::{Pose, Rotation};
use crate::image::{Frame, Square};

/// Indexes of both blink coefficients.
const EYE_BLINK_LEFT: usize = 9;
const EYE_BLINK_RIGHT: usize = 10;

/// One face's landmarks: what a sample carries of them, and what is drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Landmarked {
    pub measured: FaceLandmarks,
    pub outline: Outline,
}

impl Landmarked {
    /// From the points in pixels of their crop, and the coefficients in the order in which MediaPipe publishes them.
    /// `None` if they are no numbers, or no face.
    pub fn of(points: &[f32], blendshapes: &[f32], square: &Square, frame: &Frame<'_>) -> Option<Self> {
        if points.iter().any(|number| !number.is_finite()) {
            return None;
        }
        let rotation = Rotation::of(points)?;
        let Pose { yaw, pitch, roll } = Pose::of(&rotation, square.angle);
        let coefficients: [f32; Coefficients::COUNT] = blendshapes.try_into().ok()?;
        if coefficients.iter().any(|number| !number.is_finite()) {
            return None;
        }
        let [blink_left, blink_right] =
            [EYE_BLINK_LEFT, EYE_BLINK_RIGHT].map(|eye| rounded(coefficients[eye].clamp(0.0, 1.0), 1_000.0));
        let tenths = |degrees: f32| rounded(degrees, 10.0);
        let measured = FaceLandmarks {
            yaw: Some(tenths(yaw)),
            pitch: Some(tenths(pitch)),
            roll: Some(tenths(roll)),
            blink_left: Some(blink_left),
            blink_right: Some(blink_right),
            gaze: gaze(points, rotation, [blink_left, blink_right]).map(|gaze| gaze.map(tenths)),
            coefficients: Coefficients::new(&coefficients),
        };
        Some(Self { measured, outline: Outline::of(points, square, frame) })
    }
}

/// No finer than it is measured, and shorter as text.
pub(super) fn rounded(number: f32, parts: f32) -> f32 {
    // Without the sum a small negative number would be written as -0.0.
    (number * parts).round() / parts + 0.0
}
