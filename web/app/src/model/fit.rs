//! Where a frame and its faces lie on the stage.

use mien_shared::FaceBox;

/// A rectangle in CSS pixels of the stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

/// The largest rectangle with the frame's aspect ratio within the stage, centred: what `object-fit: contain` shows.
/// `None` if either has no area.
pub fn contained(frame: (u32, u32), stage: (f64, f64)) -> Option<Rect> {
    let (width, height) = (f64::from(frame.0), f64::from(frame.1));
    if width <= 0.0 || height <= 0.0 || stage.0 <= 0.0 || stage.1 <= 0.0 {
        return None;
    }
    let scale = (stage.0 / width).min(stage.1 / height);
    let (width, height) = (width * scale, height * scale);
    Some(Rect { left: (stage.0 - width) / 2.0, top: (stage.1 - height) / 2.0, width, height })
}

impl Rect {
    /// A point in fractions of the frame, where this rectangle is the frame.
    #[must_use]
    pub fn point(&self, [x, y]: [f32; 2], mirrored: bool) -> (f64, f64) {
        let across = if mirrored { 1.0 - f64::from(x) } else { f64::from(x) };
        (self.left + across * self.width, self.top + f64::from(y) * self.height)
    }

    /// A box of fractions of the frame, where this rectangle is the frame. A mirrored picture mirrors places,
    /// not text.
    #[must_use]
    pub fn place(&self, bounds: &FaceBox, mirrored: bool) -> Self {
        let width = f64::from(bounds.width);
        let left = f64::from(bounds.left);
        let left = if mirrored { 1.0 - left - width } else { left };
        Self {
            left: self.left + left * self.width,
            top: self.top + f64::from(bounds.top) * self.height,
            width: width * self.width,
            height: f64::from(bounds.height) * self.height,
        }
    }
}

/// Where a tag of this size is placed: above its face, or below if there is no room, and always inside the stage.
pub fn tag_corner(face: &Rect, tag: (f64, f64), stage: (f64, f64)) -> (f64, f64) {
    const GAP: f64 = 8.0;
    let above = face.top - tag.1 - GAP;
    let below = face.top + face.height + GAP;
    let top = if above >= GAP { above } else { below };
    let clamp = |at: f64, size: f64, room: f64| at.clamp(GAP, (room - size - GAP).max(GAP));
    (clamp(face.left, tag.0, stage.0), clamp(top, tag.1, stage.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_contained_and_centred() {
        let wide = contained((640, 480), (1000.0, 480.0)).unwrap();
        assert_eq!(wide, Rect { left: 180.0, top: 0.0, width: 640.0, height: 480.0 });
        assert_eq!(contained((0, 480), (10.0, 10.0)), None);
        assert_eq!(contained((640, 480), (0.0, 10.0)), None);
    }

    #[test]
    fn mirrored_boxes_change_sides() {
        let frame = Rect { left: 100.0, top: 0.0, width: 400.0, height: 300.0 };
        let bounds = FaceBox::from([0.1, 0.2, 0.25, 0.5]);
        let plain = frame.place(&bounds, false);
        let mirrored = frame.place(&bounds, true);
        assert!((plain.left - 140.0).abs() < 1e-3);
        assert!((mirrored.left - (100.0 + 400.0 * 0.65)).abs() < 1e-3);
        assert_eq!((plain.top, plain.width), (mirrored.top, mirrored.width));
        let corner = frame.point([0.1, 0.2], true);
        assert!((corner.0 - (mirrored.left + mirrored.width)).abs() < 1e-3);
        assert!((corner.1 - mirrored.top).abs() < 1e-3);
    }

    #[test]
    fn a_tag_never_leaves_the_stage() {
        let stage = (300.0, 200.0);
        for face in [
            Rect { left: -50.0, top: -20.0, width: 100.0, height: 100.0 },
            Rect { left: 280.0, top: 100.0, width: 100.0, height: 200.0 },
            Rect { left: 0.0, top: 0.0, width: 300.0, height: 200.0 },
        ] {
            let (left, top) = tag_corner(&face, (120.0, 30.0), stage);
            assert!(left >= 0.0 && left + 120.0 <= stage.0 && top >= 0.0 && top + 30.0 <= stage.1);
        }
    }
}
