//! What the samples showed: stacked areas, gaps hatched, abstentions grey.

use mien_shared::Expression;

use super::plot::{FONT, Plot, Theme};
use crate::model::expression::{color, skip_reason};
use crate::model::timeline::{Shown, Slice};

/// Layers of a stack: the seven expressions, and abstentions on top.
const LAYERS: usize = Expression::COUNT + 1;

impl Plot<'_> {
    /// Everything since the first sample that no sample covers.
    pub(super) fn hatch_gaps(&self, theme: &Theme) {
        let context = &self.surface.context;
        let mut gaps = Vec::new();
        // Before the first sample nothing is missing.
        let mut begin = self.from_ms.max(self.chart.timeline.oldest_ms());
        for slice in self.slices.iter().filter(|slice| !slice.shown.is_gap()) {
            if slice.at_ms > begin {
                gaps.push((begin, slice.at_ms));
            }
            begin = begin.max(slice.at_ms + slice.width_ms);
        }
        if self.to_ms > begin {
            gaps.push((begin, self.to_ms));
        }
        context.save();
        context.begin_path();
        for (from, to) in gaps {
            let (left, right) = (self.x(from as f64).max(0.0), self.x(to as f64).min(self.surface.width));
            context.rect(left, self.top, right - left, self.bottom - self.top);
        }
        context.clip();
        context.begin_path();
        let height = self.bottom - self.top;
        let mut left = -height;
        while left < self.surface.width {
            context.move_to(left, self.bottom);
            context.line_to(left + height, self.top);
            left += 7.0;
        }
        context.set_line_width(1.0);
        context.set_stroke_style_str(&theme.hatch);
        context.stroke();
        context.restore();
    }

    /// Why nothing was analysed, over the hatching, if there is room for the text.
    pub(super) fn skip_reasons(&self, theme: &Theme) {
        let context = &self.surface.context;
        context.set_font(FONT);
        context.set_text_baseline("middle");
        let middle = f64::midpoint(self.top, self.bottom);
        for run in self.slices.chunk_by(|a, b| a.shown.is_gap() && a.shown == b.shown) {
            let Some((Shown::Skipped(reason), last)) = run.first().map(|slice| slice.shown).zip(run.last())
            else {
                continue;
            };
            let left = self.x(run[0].at_ms as f64).max(0.0);
            let right = self.x((last.at_ms + last.width_ms) as f64).min(self.surface.width);
            let label = skip_reason(reason);
            let width = self.surface.text_width(label);
            if right - left >= width + 8.0 {
                let begin = f64::midpoint(left, right) - width / 2.0;
                context.set_fill_style_str(&theme.surface);
                context.fill_rect(begin - 3.0, middle - 9.0, width + 6.0, 18.0);
                self.surface.text(label, begin, middle, &theme.muted);
            }
        }
    }

    pub(super) fn areas(&self, theme: &Theme) {
        for run in self.slices.chunk_by(|a, b| is_face(a) == is_face(b)) {
            if is_face(&run[0]) {
                self.stack(run, theme);
            } else if run.iter().any(|slice| slice.shown == Shown::Nobody) {
                self.nobody(run, theme);
            }
        }
    }

    /// One stretch with faces: layer upon layer, the first at the bottom.
    fn stack(&self, run: &[Slice], theme: &Theme) {
        let context = &self.surface.context;
        let last = run.len() - 1;
        // Middles of the slices, stretched to the outer edges so that single slices have a width.
        let columns: Vec<(f64, [f64; LAYERS + 1])> = run
            .iter()
            .enumerate()
            .flat_map(|(place, slice)| {
                let (at, width) = (slice.at_ms as f64, slice.width_ms as f64);
                let heights = cumulative(&slice.shown);
                let point = |at: f64| (self.x(at), heights);
                [
                    (place == 0).then(|| point(at)),
                    Some(point(at + width / 2.0)),
                    (place == last).then(|| point(at + width)),
                ]
            })
            .flatten()
            .collect();
        for layer in 0..LAYERS {
            context.begin_path();
            for (x, heights) in &columns {
                context.line_to(*x, self.y(heights[layer + 1]));
            }
            for (x, heights) in columns.iter().rev() {
                context.line_to(*x, self.y(heights[layer]));
            }
            context.close_path();
            let fill = match Expression::from_index(layer) {
                Some(expression) => color(expression),
                None => theme.unsure.as_str(),
            };
            context.set_fill_style_str(fill);
            context.fill();
        }
        // Thin lines between the layers, for people who cannot tell the colours apart.
        context.set_stroke_style_str(&theme.surface);
        context.set_line_width(1.0);
        for layer in 1..LAYERS {
            context.begin_path();
            for (x, heights) in &columns {
                context.line_to(*x, self.y(heights[layer]));
            }
            context.stroke();
        }
    }

    fn nobody(&self, run: &[Slice], theme: &Theme) {
        let context = &self.surface.context;
        context.set_stroke_style_str(&theme.hatch);
        context.set_line_width(2.0);
        for slice in run.iter().filter(|slice| slice.shown == Shown::Nobody) {
            context.begin_path();
            context.move_to(self.x(slice.at_ms as f64), self.bottom - 1.0);
            context.line_to(self.x((slice.at_ms + slice.width_ms) as f64), self.bottom - 1.0);
            context.stroke();
        }
    }
}

fn is_face(slice: &Slice) -> bool {
    matches!(slice.shown, Shown::Faces { .. })
}

/// Heights of the borders between layers, 0 … 1, from the bottom.
fn cumulative(shown: &Shown) -> [f64; LAYERS + 1] {
    let mut heights = [0.0; LAYERS + 1];
    if let Shown::Faces { unsure, scores, .. } = shown {
        let certain = f64::from(1.0 - unsure);
        // Scores sum to about 1; the rest is made up so that the top edge is straight.
        let sum: f64 = scores.0.iter().map(|score| f64::from(*score)).sum::<f64>().max(1e-6);
        for (place, score) in scores.0.iter().enumerate() {
            heights[place + 1] = heights[place] + f64::from(*score) / sum * certain;
        }
        heights[LAYERS] = 1.0;
    }
    heights
}
