//! Frames and tags over the analysed frame.

use std::collections::HashMap;

use mien_engine::{AnalysedFrame, FaceOutline, LeftOutFace};
use mien_shared::{Face, FaceBox};

use super::surface::Surface;
use crate::model::expression::{UNSURE_COLOR, color, looks};
use crate::model::face::confidence;
use crate::model::fit::{Rect, contained, tag_corner};
use crate::model::landmarks::shown;
use crate::model::motion::Eased;
use crate::model::reason::{FaceReason, brief};

const FONT: &str = "600 14px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
const TAG_HEIGHT: f64 = 34.0;
const TAG_PADDING: f64 = 10.0;
const TAG_FILL: &str = "rgba(6, 7, 8, 0.78)";
const TAG_TEXT: &str = "#f2f3f5";
/// A face that the person leaves out has thin dashes and a word.
const LEFT_OUT: &str = "left out";
const TRACK: &str = "rgba(255, 255, 255, 0.25)";
const OUTLINE: &str = "rgba(255, 255, 255, 0.6)";
/// Length of the arrow of a head that is turned all the way, in widths of its face.
const ARROW: f64 = 0.9;

/// How confidence moves to a new value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Motion {
    Eased,
    /// For visitors who asked for reduced motion.
    Immediate,
}

/// What the overlay is drawn from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    pub frame: &'a AnalysedFrame,
    pub reasons: &'a [FaceReason],
    /// As the person wants it now, which may be later than the frame.
    pub left_out: &'a [LeftOutFace],
}

/// One face as the overlay shows it.
#[derive(Clone, Debug)]
struct Tag {
    face: Face,
    /// What makes it hard to judge, in two words.
    reason: Option<&'static str>,
    confidence: Eased,
}

impl Tag {
    fn text(&self, is_one_of_several: bool) -> String {
        let number = is_one_of_several.then(|| self.face.id.to_string());
        let words = looks(self.face.expression);
        let parts = [number.as_deref(), Some(words), self.reason];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }
}

/// The faces on the stage. Boxes are exactly where the analysed frame has them; only confidence is eased.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    tags: Vec<Tag>,
    outlines: Vec<FaceOutline>,
    left_out: Vec<FaceBox>,
    frame: (u32, u32),
    mirrored: bool,
}

impl Overlay {
    /// Shows nothing.
    pub(crate) fn clear(&mut self) {
        self.tags.clear();
        self.outlines.clear();
        self.left_out.clear();
    }

    /// Shows the faces of a new frame.
    pub(crate) fn update(&mut self, scene: &Scene<'_>, now_ms: f64, motion: Motion) {
        let Scene { frame, reasons, left_out } = *scene;
        let before: HashMap<u32, Eased> = self.tags.iter().map(|tag| (tag.face.id, tag.confidence)).collect();
        self.frame = (frame.width, frame.height);
        self.mirrored = frame.mirrored;
        self.outlines.clone_from(&frame.outlines);
        self.left_out = left_out.iter().filter(|face| face.in_view).map(|face| face.bounds).collect();
        self.tags = frame
            .faces
            .iter()
            .filter(|face| left_out.iter().all(|out| out.id != face.id))
            .map(|face| {
                let target = confidence(face);
                let confidence = match before.get(&face.id) {
                    Some(eased) if motion == Motion::Eased => eased.toward(target, now_ms),
                    _ => Eased::at_rest(target),
                };
                let reason = reasons.iter().find(|reason| reason.id == face.id);
                Tag { face: face.clone(), reason: reason.map(|reason| brief(reason.doubt)), confidence }
            })
            .collect();
    }

    /// Draws all; true while something still moves.
    pub(crate) fn draw(&self, surface: &Surface, now_ms: f64) -> bool {
        let Some(frame) = contained(self.frame, (surface.width, surface.height)) else { return false };
        self.draw_outlines(surface, &frame);
        for bounds in &self.left_out {
            self.draw_left_out(surface, bounds, &frame);
        }
        for tag in &self.tags {
            self.draw_frame(surface, tag, &frame);
            self.draw_arrow(surface, tag, &frame);
        }
        for tag in &self.tags {
            self.draw_tag(surface, tag, &frame, now_ms);
        }
        self.tags.iter().any(|tag| !tag.confidence.settled(now_ms))
    }

    fn draw_left_out(&self, surface: &Surface, bounds: &FaceBox, frame: &Rect) {
        let place = frame.place(bounds, self.mirrored);
        let context = &surface.context;
        surface.round_rect(place.left, place.top, place.width, place.height, 4.0);
        context.set_line_width(1.5);
        context.set_stroke_style_str(UNSURE_COLOR);
        // Refused only for values that are no numbers.
        let _ = context.set_line_dash(&js_sys::Array::of2(&2.into(), &5.into()));
        context.stroke();
        let _ = context.set_line_dash(&js_sys::Array::new());
        context.set_font(FONT);
        context.set_text_baseline("middle");
        let width = surface.text_width(LEFT_OUT) + 2.0 * TAG_PADDING;
        let (left, top) = tag_corner(&place, (width, TAG_HEIGHT), (surface.width, surface.height));
        surface.pill(left, top, width, TAG_HEIGHT, 8.0, TAG_FILL);
        surface.text(LEFT_OUT, left + TAG_PADDING, top + TAG_HEIGHT / 2.0, TAG_TEXT);
    }

    fn draw_frame(&self, surface: &Surface, tag: &Tag, frame: &Rect) {
        let place = frame.place(&tag.face.bounds, self.mirrored);
        let radius = (place.width * 0.08).clamp(6.0, 18.0);
        let context = &surface.context;
        // A dark line beneath keeps the frame visible on bright pictures.
        surface.round_rect(place.left, place.top, place.width, place.height, radius);
        context.set_line_width(4.0);
        context.set_stroke_style_str("rgba(6, 7, 8, 0.45)");
        context.stroke();
        surface.round_rect(place.left, place.top, place.width, place.height, radius);
        context.set_line_width(2.0);
        context.set_stroke_style_str(tag.face.expression.map_or(UNSURE_COLOR, color));
        let dashes = match tag.face.expression {
            Some(_) => js_sys::Array::new(),
            None => js_sys::Array::of2(&6.into(), &5.into()),
        };
        // Refused only for values that are no numbers.
        let _ = context.set_line_dash(&dashes);
        context.stroke();
        let _ = context.set_line_dash(&js_sys::Array::new());
    }

    /// All lines of all faces in one path, thin enough to leave the faces seen.
    fn draw_outlines(&self, surface: &Surface, frame: &Rect) {
        let context = &surface.context;
        context.begin_path();
        for (points, closed) in self.outlines.iter().flat_map(|face| face.outline.strokes()) {
            let mut places = points.iter().map(|point| frame.point(*point, self.mirrored));
            let Some((x, y)) = places.next() else { continue };
            context.move_to(x, y);
            places.for_each(|(x, y)| context.line_to(x, y));
            if closed {
                context.close_path();
            }
        }
        context.set_line_width(1.0);
        context.set_stroke_style_str(OUTLINE);
        context.stroke();
    }

    /// Where the head points, from the middle of its box.
    fn draw_arrow(&self, surface: &Surface, tag: &Tag, frame: &Rect) {
        let Some((yaw, pitch)) = tag.face.landmarks.as_ref().and_then(|of| of.yaw.zip(of.pitch)) else {
            return;
        };
        let place = frame.place(&tag.face.bounds, self.mirrored);
        let (x, y) = (place.left + place.width / 2.0, place.top + place.height / 2.0);
        let (yaw, pitch) = (f64::from(shown(yaw, self.mirrored)).to_radians(), f64::from(pitch).to_radians());
        let (across, up) = (yaw.sin() * pitch.cos() * ARROW * place.width, pitch.sin() * ARROW * place.width);
        let context = &surface.context;
        context.begin_path();
        context.move_to(x, y);
        context.line_to(x + across, y - up);
        context.set_line_width(3.0);
        context.set_line_cap("round");
        context.set_stroke_style_str(OUTLINE);
        context.stroke();
        context.set_line_cap("butt");
    }

    fn draw_tag(&self, surface: &Surface, tag: &Tag, frame: &Rect, now_ms: f64) {
        let context = &surface.context;
        context.set_font(FONT);
        context.set_text_baseline("middle");
        let text = tag.text(self.tags.len() > 1);
        let width = surface.text_width(&text).max(84.0) + 2.0 * TAG_PADDING;
        let place = frame.place(&tag.face.bounds, self.mirrored);
        let (left, top) = tag_corner(&place, (width, TAG_HEIGHT), (surface.width, surface.height));
        surface.pill(left, top, width, TAG_HEIGHT, 8.0, TAG_FILL);
        surface.text(&text, left + TAG_PADDING, top + 14.0, TAG_TEXT);
        let (bar_left, bar_top) = (left + TAG_PADDING, top + TAG_HEIGHT - 8.0);
        let bar_width = width - 2.0 * TAG_PADDING;
        surface.pill(bar_left, bar_top, bar_width, 3.0, 1.5, TRACK);
        let share = f64::from(tag.confidence.value(now_ms).clamp(0.0, 1.0));
        let fill = tag.face.expression.map_or(UNSURE_COLOR, color);
        surface.pill(bar_left, bar_top, bar_width * share, 3.0, 1.5, fill);
    }
}
