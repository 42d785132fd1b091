//! Where the eyes look, relative to the head: from where each iris stands between the corners of its eye, once the
//! head's own turn is taken out of the points.

use super::pose::Rotation;

/// Distance of the outer corners of both eyes in the canonical face, millimetres: what turns pixels into millimetres.
const OUTER_CORNERS_MM: f32 = 88.9;
/// From the centre about which an eye turns to the plane of its iris, millimetres (13.5 to the cornea's front, of which
/// 3.6 lie before the iris).
const IRIS_RADIUS_MM: f32 = 9.9;
/// From here on an eye counts as closed, and its iris is a guess.
const CLOSED_FROM: f32 = 0.5;
/// Eyes turn no further.
const FURTHEST_DEGREES: f32 = 60.0;

struct Eye {
    outer: usize,
    inner: usize,
    iris: usize,
}

/// The person's own.
const LEFT: Eye = Eye { outer: 263, inner: 362, iris: 473 };
const RIGHT: Eye = Eye { outer: 33, inner: 133, iris: 468 };

/// Degrees to the right of the picture and up; the mean of the eyes that are open, `None` if neither is.
pub(super) fn gaze(points: &[f32], rotation: Rotation, blinks: [f32; 2]) -> Option<[f32; 2]> {
    let at = |point: usize| -> [f32; 3] {
        rotation.into_head([points[3 * point], points[3 * point + 1], points[3 * point + 2]])
    };
    let (left, right) = (at(LEFT.outer), at(RIGHT.outer));
    let millimetre = (left[0] - right[0]).hypot(left[1] - right[1]) / OUTER_CORNERS_MM;
    let mut sum = [0.0; 2];
    let mut open = 0.0;
    for (eye, blink) in [LEFT, RIGHT].into_iter().zip(blinks) {
        if blink >= CLOSED_FROM {
            continue;
        }
        let (outer, inner, iris) = (at(eye.outer), at(eye.inner), at(eye.iris));
        let off = [0, 1].map(|axis| (iris[axis] - f32::midpoint(outer[axis], inner[axis])) / millimetre);
        sum[0] += off[0];
        sum[1] -= off[1];
        open += 1.0;
    }
    let degrees = |millimetres: f32| {
        let turned = (millimetres / open / IRIS_RADIUS_MM).clamp(-1.0, 1.0).asin().to_degrees();
        turned.clamp(-FURTHEST_DEGREES, FURTHEST_DEGREES)
    };
    let gaze = sum.map(degrees);
    gaze.iter().all(|degrees| degrees.is_finite()).then_some(gaze)
}
