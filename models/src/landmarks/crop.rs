//! From a face to the square that the landmark network sees, and from its points to the coefficients of a smile.
//! Runs no network.

use crate::blazeface::Candidate;
use crate::expression::tilt;
use crate::image::{Frame, Outside, Square};

/// Pixels on a side of the network's input.
pub const CROP_SIDE: usize = 256;
/// Points of a face, with three numbers each, in pixels of the crop.
pub const POINTS: usize = 478;
/// Coefficients of the second network.
pub const BLENDSHAPES: usize = 52;
/// Side of the square, as a multiple of the longer side of the steadier box.
const CROP_MARGIN: f32 = 1.5;

/// The points that the second network takes, in its order (MediaPipe, `face_blendshapes_graph.cc`).
pub const SUBSET: [usize; 146] = [
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70,
    78, 80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149,
    150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195,
    197, 234, 246, 249, 251, 263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300,
    308, 310, 311, 312, 314, 317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375,
    377, 378, 379, 380, 381, 382, 384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454,
    466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
];

/// Indexes of both smile coefficients.
const MOUTH_SMILE_LEFT: usize = 44;
const MOUTH_SMILE_RIGHT: usize = 45;

/// The square about a face, its eyes level.
pub fn square(frame: &Frame<'_>, face: &Candidate) -> Square {
    let b = face.bounds;
    Square {
        centre: [(b.left + b.width / 2.0) * frame.width(), (b.top + b.height / 2.0) * frame.height()],
        side: CROP_MARGIN * (b.width * frame.width()).max(b.height * frame.height()),
        angle: tilt(frame, &face.keypoints),
        mirrored: false,
        outside: Outside::Edge,
    }
}

/// The x and y of the points that the second network takes.
pub fn subset(points: &[f32]) -> Vec<f32> {
    SUBSET.iter().flat_map(|point| [points[3 * point], points[3 * point + 1]]).collect()
}

/// The mean of both smile coefficients, 0 … 1.
pub fn smile(blendshapes: &[f32]) -> f32 {
    f32::midpoint(blendshapes[MOUTH_SMILE_LEFT], blendshapes[MOUTH_SMILE_RIGHT]).clamp(0.0, 1.0)
}
