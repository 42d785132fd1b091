//! What is written over the areas: times, markers and the cursor.

use super::plot::{AXIS, FONT, Plot, Theme};
use crate::browser;
use crate::model::format;

impl Plot<'_> {
    pub(super) fn axis(&self, theme: &Theme) {
        let context = &self.surface.context;
        context.set_font(FONT);
        context.set_text_baseline("middle");
        context.set_line_width(1.0);
        let newest = self.chart.timeline.newest_ms();
        let step = tick_ms(self.chart.viewport.span_ms(), self.surface.width);
        let middle = self.bottom + AXIS / 2.0;
        // Ticks count from the newest sample, since that is what "ago" means to the person.
        let mut behind = newest.saturating_sub(self.to_ms).div_ceil(step) * step;
        while newest.saturating_sub(behind) >= self.from_ms && behind <= newest {
            let x = self.x((newest - behind) as f64);
            let label = match behind {
                0 if self.chart.live => "now".to_owned(),
                0 => browser::time_of_day(newest),
                _ => format!("−{}", format::duration(behind)),
            };
            let width = self.surface.text_width(&label);
            let left = (x - width / 2.0).min(self.surface.width - width - 4.0);
            if left >= 2.0 {
                context.set_stroke_style_str(&theme.line);
                context.begin_path();
                context.move_to(x.round() - 0.5, self.bottom);
                context.line_to(x.round() - 0.5, self.bottom + 3.0);
                context.stroke();
                self.surface.text(&label, left, middle, &theme.muted);
            }
            behind += step;
        }
    }

    pub(super) fn markers(&self, theme: &Theme) {
        let context = &self.surface.context;
        context.set_font(FONT);
        context.set_text_baseline("middle");
        let mut free_from = f64::NEG_INFINITY;
        for marker in self.chart.timeline.markers() {
            if marker.at_ms < self.from_ms || marker.at_ms > self.to_ms {
                continue;
            }
            let x = self.x(marker.at_ms as f64).round();
            context.set_fill_style_str(&theme.text);
            context.fill_rect(x, 2.0, 1.5, self.bottom - 2.0);
            context.begin_path();
            context.move_to(x, 2.0);
            context.line_to(x + 10.0, 6.5);
            context.line_to(x, 11.0);
            context.fill();
            // The text is left out if the previous one is in the way; hovering and the table show it.
            let label: String = marker.label.chars().take(24).collect();
            let left = x + 13.0;
            let width = self.surface.text_width(&label);
            if left >= free_from && left + width <= self.surface.width {
                self.surface.text(&label, left, 8.0, &theme.text);
                free_from = left + width + 8.0;
            }
        }
    }

    pub(super) fn cursor(&self, theme: &Theme) {
        let Some(at_ms) = self.chart.cursor_ms.filter(|at| (self.from_ms..=self.to_ms).contains(at)) else {
            return;
        };
        let x = self.x(at_ms as f64).round() - 0.5;
        let context = &self.surface.context;
        for (width, color) in [(3.0, &theme.surface), (1.0, &theme.text)] {
            context.set_line_width(width);
            context.set_stroke_style_str(color);
            context.begin_path();
            context.move_to(x, self.top);
            context.line_to(x, self.bottom);
            context.stroke();
        }
    }
}

/// A round interval between ticks, so that labels are at least 72 px apart.
fn tick_ms(span_ms: u64, width: f64) -> u64 {
    const STEPS: [u64; 10] = [1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000];
    let least = span_ms as f64 * 72.0 / width.max(1.0);
    STEPS.into_iter().find(|step| *step as f64 >= least).unwrap_or(600_000)
}
