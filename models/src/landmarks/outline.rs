//! The lines of a face that are worth drawing. For the screen alone: nothing of it goes into a sample.

use mien_shared::FaceBox;
use serde::{Deserialize, Serialize};

use super::crop::{CROP_SIDE, POINTS};
use crate::image::{Frame, Square};

/// Points one after the other, by their numbers among the 478 (MediaPipe, `face_landmarks_connections`).
struct Stroke {
    points: &'static [usize],
    closed: bool,
}

const fn closed(points: &'static [usize]) -> Stroke {
    Stroke { points, closed: true }
}

const fn open(points: &'static [usize]) -> Stroke {
    Stroke { points, closed: false }
}

const STROKES: [Stroke; 9] = [
    // The oval of the face.
    closed(&[
        10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148,
        176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
    ]),
    // The person's right eye, and the left.
    closed(&[33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246]),
    closed(&[362, 382, 381, 380, 374, 373, 390, 249, 263, 466, 388, 387, 386, 385, 384, 398]),
    // Their irises.
    closed(&[469, 470, 471, 472]),
    closed(&[474, 475, 476, 477]),
    // Their brows.
    open(&[70, 63, 105, 66, 107]),
    open(&[300, 293, 334, 296, 336]),
    // The lips, outside and inside.
    closed(&[61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185]),
    closed(&[78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191]),
];

/// Oval, eyes, irises, brows and lips of one face, in fractions of the frame.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Outline(Vec<[f32; 2]>);

impl Outline {
    pub(super) fn of(points: &[f32], square: &Square, frame: &Frame<'_>) -> Self {
        let place = |point: &usize| {
            let [x, y] = [0, 1].map(|axis| points[3 * point + axis] / CROP_SIDE as f32);
            // Ten thousandths of a frame are finer than any screen, and shorter as text.
            square.in_frame(frame, [x, y]).map(|place| (place * 10_000.0).round() / 10_000.0)
        };
        Self(STROKES.iter().flat_map(|stroke| stroke.points).map(place).collect())
    }

    /// The points of each line, and whether its last leads back to its first.
    pub fn strokes(&self) -> impl Iterator<Item = (&[[f32; 2]], bool)> {
        let mut rest = &self.0[..];
        STROKES.iter().map_while(move |stroke| {
            let (points, more) = rest.split_at_checked(stroke.points.len())?;
            rest = more;
            Some((points, stroke.closed))
        })
    }

    /// The same lines after their face has moved from one box to another.
    #[must_use]
    pub(super) fn moved(&self, from: FaceBox, to: FaceBox) -> Self {
        let place = |[x, y]: &[f32; 2]| {
            [
                to.left + (x - from.left) / from.width * to.width,
                to.top + (y - from.top) / from.height * to.height,
            ]
        };
        Self(self.0.iter().map(place).collect())
    }
}

const _: () = {
    let mut stroke = 0;
    while stroke < STROKES.len() {
        let mut place = 0;
        while place < STROKES[stroke].points.len() {
            assert!(STROKES[stroke].points[place] < POINTS);
            place += 1;
        }
        stroke += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Outside;

    #[test]
    fn an_outline_lies_where_its_crop_does_and_moves_with_its_face() {
        let pixels = vec![0; 200 * 100 * 4];
        let frame = Frame::new(200, 100, &pixels).unwrap();
        let square =
            Square { centre: [100.0, 50.0], side: 64.0, angle: 0.0, mirrored: false, outside: Outside::Edge };
        let middle = [CROP_SIDE as f32 / 2.0, CROP_SIDE as f32 / 2.0, 0.0];
        let outline = Outline::of(&middle.repeat(POINTS), &square, &frame);
        let strokes: Vec<_> = outline.strokes().collect();
        assert_eq!(strokes.len(), STROKES.len());
        assert!(strokes.iter().flat_map(|(points, _)| *points).all(|point| *point == [0.5, 0.5]));
        let [from, to] = [[0.4, 0.4, 0.2, 0.2], [0.0, 0.0, 0.4, 0.4]].map(FaceBox::from);
        let moved = outline.moved(from, to);
        let [x, y] = moved.0[0];
        assert!((x - 0.2).abs() < 1e-6 && (y - 0.2).abs() < 1e-6);
    }
}
