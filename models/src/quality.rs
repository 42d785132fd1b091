//! How well a face can be judged, 0 … 1: the product of size, pose, light, sharpness and wholeness, so that the worst
//! of them decides; and which of these are doubtful.
//!
//! - size: 0 at 20 pixels on the box's longer side, 1 at 96, about what the expression network can use;
//! - pose: 1 facing the camera, falling to 0 as the nose nears the line of one eye, and to a half when lying sideways;
//! - light: 1 for a crop of medium brightness with contrast, falling to 0 near black, near white and near flat;
//! - sharpness: 1 for what a camera shows, falling as edges disappear from the crop;
//! - wholeness: 1 for a face within the frame, falling to 0 as the frame cuts part of it off.
//!
//! It ranks faces by how far to trust their scores; it is not itself a probability.

use serde::{Deserialize, Serialize};

use crate::blazeface::Candidate;
use crate::expression::tilt;
use crate::image::Frame;
use crate::keypoint::Keypoint;

/// A part of the quality below this is reported as a doubt.
const DOUBTFUL: f32 = 0.75;

/// Why a face is harder to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Too few pixels.
    TooSmall,
    /// Turned away from the camera, or lying on its side.
    Turned,
    Dark,
    /// Near white.
    Bright,
    /// Without light and shade, as in fog.
    Flat,
    Blurred,
    /// Cut off by the edge of the frame.
    Cut,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Quality {
    pub value: f32,
    pub doubts: Vec<Doubt>,
}

impl Quality {
    fn of(parts: &[(Doubt, f32)]) -> Self {
        Self {
            value: parts.iter().map(|(_, part)| part).product::<f32>().clamp(0.0, 1.0),
            doubts: parts.iter().filter(|(_, part)| *part < DOUBTFUL).map(|(doubt, _)| *doubt).collect(),
        }
    }
}

/// Quality of a face from its position and from its crop (three planes of 0 … 255).
pub fn quality(frame: &Frame<'_>, face: &Candidate, crop: &[f32]) -> Quality {
    let longer = (face.bounds.width * frame.width()).max(face.bounds.height * frame.height());
    let [dark, bright, flat, blurred] = look(crop);
    Quality::of(&[
        (Doubt::TooSmall, size(longer)),
        (Doubt::Turned, pose(frame, face)),
        dark,
        bright,
        flat,
        blurred,
        (Doubt::Cut, whole(face)),
    ])
}

/// Quality of a picture that is one face crop: there is no box to measure, there is no pose without a face, and the
/// picture's edges cut off only what surrounds the face.
pub fn crop_quality(frame: &Frame<'_>, face: Option<&Candidate>, crop: &[f32]) -> Quality {
    let pose = face.map_or(1.0, |face| pose(frame, face));
    let size = size(frame.width().max(frame.height()));
    let [dark, bright, flat, blurred] = look(crop);
    Quality::of(&[(Doubt::TooSmall, size), (Doubt::Turned, pose), dark, bright, flat, blurred])
}

fn size(pixels: f32) -> f32 {
    ramp(pixels, 20.0, 96.0)
}

fn in_pixels(frame: &Frame<'_>, face: &Candidate, point: Keypoint) -> [f32; 2] {
    let [x, y] = face.keypoints[point as usize];
    [x * frame.width(), y * frame.height()]
}

fn pose(frame: &Frame<'_>, face: &Candidate) -> f32 {
    let [right, left, nose] =
        [Keypoint::RightEye, Keypoint::LeftEye, Keypoint::Nose].map(|point| in_pixels(frame, face, point));
    let eyes = [left[0] - right[0], left[1] - right[1]];
    let squared = eyes[0] * eyes[0] + eyes[1] * eyes[1];
    if squared < 1e-6 {
        return 0.0;
    }
    // Where the nose projects onto the line between the eyes: 0 halfway between them, ±0.5 at one of them.
    let along = ((nose[0] - right[0]) * eyes[0] + (nose[1] - right[1]) * eyes[1]) / squared - 0.5;
    let facing = 1.0 - ramp(along.abs(), 0.15, 0.6);
    let upright = 1.0 - 0.5 * ramp(tilt(frame, &face.keypoints).abs().to_degrees(), 20.0, 70.0);
    facing * upright
}

/// 1 for a face within the frame. Of 68 London faces cut off at the bottom, .88 of the labels were right with up to a
/// seventh of the box missing, .78 with a quarter, .48 with a third and none with a half.
fn whole(face: &Candidate) -> f32 {
    // Without an eye, the nose or the mouth the network is guessing.
    let speaking = [Keypoint::RightEye, Keypoint::LeftEye, Keypoint::Nose, Keypoint::Mouth];
    let is_outside =
        |point: &Keypoint| face.keypoints[*point as usize].iter().any(|place| !(0.0..=1.0).contains(place));
    if speaking.iter().any(is_outside) {
        return 0.0;
    }
    let within = |from: f32, length: f32| ((from + length).min(1.0) - from.max(0.0)).max(0.0) / length;
    let b = face.bounds;
    let missing = 1.0 - within(b.left, b.width) * within(b.top, b.height);
    1.0 - ramp(missing, 0.05, 0.32)
}

/// Light and sharpness of a crop.
fn look(crop: &[f32]) -> [(Doubt, f32); 4] {
    let plane = crop.len() / 3;
    let (red, rest) = crop.split_at(plane);
    let (green, blue) = rest.split_at(plane);
    let luma: Vec<f32> =
        red.iter().zip(green).zip(blue).map(|((r, g), b)| 0.299 * r + 0.587 * g + 0.114 * b).collect();
    let count = plane.max(1) as f32;
    let mean = luma.iter().sum::<f32>() / count;
    let deviation = (luma.iter().map(|luma| (luma - mean) * (luma - mean)).sum::<f32>() / count).sqrt();
    [
        (Doubt::Dark, ramp(mean, 10.0, 50.0)),
        (Doubt::Bright, 1.0 - ramp(mean, 205.0, 250.0)),
        (Doubt::Flat, ramp(deviation, 4.0, 25.0)),
        (Doubt::Blurred, ramp(sharpness(&luma, deviation), 0.05, 0.15)),
    ]
}

/// Mean difference between a pixel and its four neighbours, in standard deviations of the crop, at half its size, where
/// noise and the sampling of small faces matter less. For 34 London faces .33 to .50; with a blur of .03 of the face
/// .09 to .14, of .04, where .73 of the labels were right, .07 to .10, and of .06, where half were right, .04 to .06.
fn sharpness(luma: &[f32], deviation: f32) -> f32 {
    let side = luma.len().isqrt();
    let half = side / 2;
    if half < 3 || deviation <= 0.0 {
        return 0.0;
    }
    let at = |x: usize, y: usize| {
        let at = 2 * y * side + 2 * x;
        (luma[at] + luma[at + 1] + luma[at + side] + luma[at + side + 1]) / 4.0
    };
    let mut sum = 0.0;
    for y in 1..half - 1 {
        for x in 1..half - 1 {
            sum += (4.0 * at(x, y) - at(x - 1, y) - at(x + 1, y) - at(x, y - 1) - at(x, y + 1)).abs();
        }
    }
    sum / ((half - 2) * (half - 2)) as f32 / deviation
}

/// 0 up to `low`, 1 from `high` on, linear in between.
fn ramp(value: f32, low: f32, high: f32) -> f32 {
    ((value - low) / (high - low)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mien_shared::FaceBox;

    fn check(change: impl Fn(&mut Candidate), crop: &[f32], expected: std::ops::RangeInclusive<f32>) {
        let pixels = vec![0; 200 * 200 * 4];
        let frame = Frame::new(200, 200, &pixels).unwrap();
        let bounds = FaceBox { left: 0.2, top: 0.2, width: 0.6, height: 0.6 };
        let mut face = Candidate {
            bounds,
            strongest: bounds,
            keypoints: [[0.4, 0.4], [0.6, 0.4], [0.5, 0.5], [0.5, 0.6], [0.3, 0.4], [0.7, 0.4]],
            score: 0.9,
        };
        change(&mut face);
        let got = quality(&frame, &face, crop).value;
        assert!(expected.contains(&got), "{got} is not in {expected:?}");
    }

    /// A crop with edges and this mean.
    fn crop(mean: f32, spread: f32) -> Vec<f32> {
        (0..3 * 32 * 32).map(|at| if at / 4 % 2 == 0 { mean - spread } else { mean + spread }).collect()
    }

    #[test]
    fn each_part_counts() {
        let good = crop(130.0, 50.0);
        check(|_| {}, &good, 1.0..=1.0);
        check(|face| face.bounds.width = 0.05, &good, 1.0..=1.0);
        check(|face| (face.bounds.width, face.bounds.height) = (0.1, 0.1), &good, 0.0..=0.0);
        check(|face| face.keypoints[2] = [0.6, 0.5], &good, 0.1..=0.4);
        check(|face| face.keypoints[1] = face.keypoints[0], &good, 0.0..=0.0);
        check(|_| {}, &crop(3.0, 2.0), 0.0..=0.0);
        check(|_| {}, &crop(128.0, 0.0), 0.0..=0.0);
        check(|_| {}, &[], 0.0..=0.0);
    }

    #[test]
    fn a_face_that_the_frame_cuts_loses_with_what_is_missing() {
        let good = crop(130.0, 50.0);
        for (left, top) in [(0.2, 0.5), (0.2, -0.1), (-0.1, 0.2), (0.5, 0.2)] {
            // A sixth of the box is outside.
            check(|face| (face.bounds.left, face.bounds.top) = (left, top), &good, 0.5..=0.65);
        }
        check(|face| face.bounds.top = 0.42, &good, 0.9..=1.0);
        check(|face| face.bounds.top = 0.6, &good, 0.0..=0.0);
    }

    #[test]
    fn quality_says_what_keeps_it_down() {
        let pixels = vec![0; 200 * 200 * 4];
        let frame = Frame::new(200, 200, &pixels).unwrap();
        let bounds = FaceBox { left: 0.2, top: 0.55, width: 0.6, height: 0.6 };
        let keypoints = [[0.4, 0.4], [0.6, 0.4], [0.59, 0.5], [0.5, 0.6], [0.3, 0.4], [0.7, 0.4]];
        let face = Candidate { bounds, strongest: bounds, keypoints, score: 0.9 };
        let smooth: Vec<f32> = (0..3 * 32 * 32).map(|at| 20.0 + (at % 32) as f32).collect();
        let doubts = quality(&frame, &face, &smooth).doubts;
        assert_eq!(doubts, [Doubt::Turned, Doubt::Dark, Doubt::Flat, Doubt::Blurred, Doubt::Cut]);
        assert!(crop_quality(&frame, None, &crop(130.0, 50.0)).doubts.is_empty());
    }
}
