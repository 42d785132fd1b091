//! Valence as a line over the areas: pleasant above the middle, unpleasant below.

use super::plot::{FONT, Plot, Theme};
use crate::model::timeline::Slice;

/// The line is told from the areas by its form, and by a border that stands out from whichever colour is beneath.
const LINE: f64 = 2.0;
const BORDER: f64 = 5.0;

impl Plot<'_> {
    pub(super) fn valence(&self, theme: &Theme) {
        let runs: Vec<Vec<(f64, f64)>> = self
            .slices
            .chunk_by(|a, b| a.shown.valence().is_some() == b.shown.valence().is_some())
            .map(|run| self.points(run))
            .filter(|points| !points.is_empty())
            .collect();
        for (width, color) in [(BORDER, &theme.surface), (LINE, &theme.text)] {
            self.zero(width - 1.0, color);
            for points in &runs {
                self.line(points, width, color);
            }
        }
        self.scale(theme);
    }

    /// Middles of the slices, stretched to the outer edges so that a single one has a width.
    fn points(&self, run: &[Slice]) -> Vec<(f64, f64)> {
        let judged = run.iter().filter_map(|slice| Some((slice, slice.shown.valence()?)));
        let mut points: Vec<(f64, f64)> = judged
            .map(|(slice, valence)| {
                let middle = slice.at_ms as f64 + slice.width_ms as f64 / 2.0;
                (self.x(middle), self.height_of(valence))
            })
            .collect();
        if let (Some(first), Some(last)) = (run.first(), run.last())
            && let (Some(&(_, begin)), Some(&(_, end))) = (points.first(), points.last())
        {
            points.insert(0, (self.x(first.at_ms as f64), begin));
            points.push((self.x((last.at_ms + last.width_ms) as f64), end));
        }
        points
    }

    fn height_of(&self, valence: f32) -> f64 {
        self.y(f64::midpoint(f64::from(valence), 1.0))
    }

    fn line(&self, points: &[(f64, f64)], width: f64, color: &str) {
        let context = &self.surface.context;
        context.set_line_width(width);
        context.set_line_join("round");
        context.set_stroke_style_str(color);
        context.begin_path();
        for (x, y) in points {
            context.line_to(*x, *y);
        }
        context.stroke();
    }

    /// The middle, where an expression is neither pleasant nor unpleasant.
    fn zero(&self, width: f64, color: &str) {
        let context = &self.surface.context;
        let y = self.height_of(0.0).round() - 0.5;
        // Refused only for values that are no numbers.
        let _ = context.set_line_dash(&js_sys::Array::of2(&2.into(), &6.into()));
        self.line(&[(0.0, y), (self.surface.width, y)], width, color);
        let _ = context.set_line_dash(&js_sys::Array::new());
    }

    /// What the line is measured by, at the left, where the oldest values are.
    fn scale(&self, theme: &Theme) {
        let context = &self.surface.context;
        context.set_font(FONT);
        context.set_text_baseline("middle");
        for (valence, label) in [(1.0, "+1"), (0.0, "0"), (-1.0, "−1")] {
            let middle = self.height_of(valence).clamp(self.top + 9.0, self.bottom - 9.0);
            let width = self.surface.text_width(label);
            context.set_fill_style_str(&theme.surface);
            context.fill_rect(2.0, middle - 8.0, width + 6.0, 16.0);
            self.surface.text(label, 5.0, middle, &theme.text);
        }
    }
}
