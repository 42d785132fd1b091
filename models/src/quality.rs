//! How far a face can be judged, 0 … 1: the product of size, pose and light, so that the worst of them decides.
//!
//! - size: 0 at 20 pixels on the box's longer side, 1 at 96, about what the expression network can use;
//! - pose: 1 facing the camera, falling to 0 as the nose nears the line of one eye, and to a half on the side;
//! - light: 1 for a middling, contrasting crop, falling to 0 near black, near white and near flat.
//!
//! It orders faces by how much to trust their scores; it is not itself a probability.

use crate::blazeface::Candidate;
use crate::detection::Keypoint;
use crate::expression::tilt;
use crate::image::Frame;

/// Quality of a face from its place and from its crop (three planes of 0 … 255).
pub fn quality(frame: &Frame<'_>, face: &Candidate, crop: &[f32]) -> f32 {
    let longer = (face.bounds.width * frame.width()).max(face.bounds.height * frame.height());
    (size(longer) * pose(frame, face) * light(crop)).clamp(0.0, 1.0)
}

/// Quality of a picture that is one face crop: there is no box to measure, and no pose without a face.
pub fn crop_quality(frame: &Frame<'_>, face: Option<&Candidate>, crop: &[f32]) -> f32 {
    let pose = face.map_or(1.0, |face| pose(frame, face));
    (size(frame.width().max(frame.height())) * pose * light(crop)).clamp(0.0, 1.0)
}

fn size(pixels: f32) -> f32 {
    ramp(pixels, 20.0, 96.0)
}

fn pose(frame: &Frame<'_>, face: &Candidate) -> f32 {
    let at = |point: Keypoint| {
        let [x, y] = face.keypoints[point as usize];
        [x * frame.width(), y * frame.height()]
    };
    let (right, left, nose) = (at(Keypoint::RightEye), at(Keypoint::LeftEye), at(Keypoint::Nose));
    let eyes = [left[0] - right[0], left[1] - right[1]];
    let squared = eyes[0] * eyes[0] + eyes[1] * eyes[1];
    if squared < 1e-6 {
        return 0.0;
    }
    // Where the nose falls on the line of the eyes: 0 between them, ±0.5 under one of them.
    let along = ((nose[0] - right[0]) * eyes[0] + (nose[1] - right[1]) * eyes[1]) / squared - 0.5;
    let facing = 1.0 - ramp(along.abs(), 0.15, 0.6);
    let upright = 1.0 - 0.5 * ramp(tilt(frame, &face.keypoints).abs().to_degrees(), 20.0, 70.0);
    facing * upright
}

fn light(crop: &[f32]) -> f32 {
    let plane = crop.len() / 3;
    if plane == 0 {
        return 0.0;
    }
    let (red, rest) = crop.split_at(plane);
    let (green, blue) = rest.split_at(plane);
    let (mut sum, mut squares) = (0.0_f32, 0.0_f32);
    for ((r, g), b) in red.iter().zip(green).zip(blue) {
        let luma = 0.299 * r + 0.587 * g + 0.114 * b;
        sum += luma;
        squares += luma * luma;
    }
    let mean = sum / plane as f32;
    let deviation = (squares / plane as f32 - mean * mean).max(0.0).sqrt();
    ramp(mean, 10.0, 50.0) * (1.0 - ramp(mean, 205.0, 250.0)) * ramp(deviation, 4.0, 25.0)
}

/// 0 up to `low`, 1 from `high` on, straight between.
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
        let got = quality(&frame, &face, crop);
        assert!(expected.contains(&got), "{got} is not in {expected:?}");
    }

    #[test]
    fn each_part_counts() {
        let good: Vec<f32> = (0..300).map(|at| if at % 2 == 0 { 80.0 } else { 180.0 }).collect();
        check(|_| {}, &good, 1.0..=1.0);
        check(|face| face.bounds.width = 0.05, &good, 1.0..=1.0);
        check(|face| (face.bounds.width, face.bounds.height) = (0.1, 0.1), &good, 0.0..=0.0);
        check(|face| face.keypoints[2] = [0.6, 0.5], &good, 0.1..=0.4);
        check(|face| face.keypoints[1] = face.keypoints[0], &good, 0.0..=0.0);
        check(|_| {}, &[3.0; 300], 0.0..=0.0);
        check(|_| {}, &[128.0; 300], 0.0..=0.0);
        check(|_| {}, &[], 0.0..=0.0);
    }
}
