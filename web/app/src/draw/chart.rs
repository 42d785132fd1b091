//! The timeline on its canvas: stacked areas, gaps hatched, abstentions grey, markers as flags.

use mien_shared::Expression;
use web_sys::HtmlCanvasElement;

use super::surface::{Surface, css_color};
use crate::browser;
use crate::model::format;
use crate::model::timeline::{Shown, Slice, Timeline};
use crate::model::view::View;
use crate::model::words::{color, skipped};

/// Height of the strip with times, and of the strip with flags, CSS pixels.
const AXIS: f64 = 18.0;
const FLAGS: f64 = 18.0;
const FONT: &str = "500 12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
/// Layers of a stack: the seven expressions, and abstentions on top.
const LAYERS: usize = Expression::COUNT + 1;

/// What to draw.
#[derive(Debug)]
pub(crate) struct Chart<'a> {
    pub timeline: &'a Timeline,
    pub view: View,
    /// The instant whose values are read, Unix milliseconds.
    pub cursor_ms: Option<u64>,
    /// Whether the newest sample is of now.
    pub live: bool,
}

struct Theme {
    muted: String,
    text: String,
    line: String,
    hatch: String,
    surface: String,
    unsure: String,
}

pub(crate) fn draw_chart(canvas: &HtmlCanvasElement, chart: &Chart<'_>) {
    let Some(surface) = Surface::clear(canvas) else { return };
    let theme = Theme {
        muted: css_color(canvas, "--muted"),
        text: css_color(canvas, "--text"),
        line: css_color(canvas, "--line"),
        hatch: css_color(canvas, "--control"),
        surface: css_color(canvas, "--surface"),
        unsure: css_color(canvas, "--unsure"),
    };
    let plot = Plot::new(&surface, chart);
    plot.hatch_gaps(&theme);
    plot.reasons(&theme);
    plot.areas(&theme);
    plot.axis(&theme);
    plot.flags(&theme);
    plot.cursor(&theme);
}

struct Plot<'a> {
    surface: &'a Surface,
    chart: &'a Chart<'a>,
    from_ms: u64,
    to_ms: u64,
    slices: Vec<Slice>,
    top: f64,
    bottom: f64,
}

impl<'a> Plot<'a> {
    fn new(surface: &'a Surface, chart: &'a Chart<'a>) -> Self {
        let (from_ms, to_ms) = chart.view.range(chart.timeline.newest_ms());
        // A point every three pixels: finer cannot be told apart.
        let slices = chart.timeline.slices(from_ms, to_ms, (surface.width / 3.0) as usize);
        Self { surface, chart, from_ms, to_ms, slices, top: FLAGS, bottom: surface.height - AXIS }
    }

    fn x(&self, at_ms: f64) -> f64 {
        (at_ms - self.from_ms as f64) / self.chart.view.span_ms() as f64 * self.surface.width
    }

    fn y(&self, share: f64) -> f64 {
        self.bottom - share * (self.bottom - self.top)
    }

    /// Everything since the first sample that no sample covers.
    fn hatch_gaps(&self, theme: &Theme) {
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

    /// Why nothing was analysed, upon the hatching, where there is room for the word.
    fn reasons(&self, theme: &Theme) {
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
            let label = skipped(reason);
            let width = self.surface.text_width(label);
            if right - left >= width + 8.0 {
                let begin = f64::midpoint(left, right) - width / 2.0;
                context.set_fill_style_str(&theme.surface);
                context.fill_rect(begin - 3.0, middle - 9.0, width + 6.0, 18.0);
                self.surface.text(label, begin, middle, &theme.muted);
            }
        }
    }

    fn areas(&self, theme: &Theme) {
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
                let edge = |there: bool, at: f64| there.then_some((self.x(at), heights));
                [edge(place == 0, at), edge(true, at + width / 2.0), edge(place == last, at + width)]
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
        // Thin lines between the layers: colour alone tells nothing to some.
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

    fn axis(&self, theme: &Theme) {
        let context = &self.surface.context;
        context.set_font(FONT);
        context.set_text_baseline("middle");
        context.set_line_width(1.0);
        let newest = self.chart.timeline.newest_ms();
        let step = tick_ms(self.chart.view.span_ms(), self.surface.width);
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

    fn flags(&self, theme: &Theme) {
        let context = &self.surface.context;
        context.set_font(FONT);
        context.set_text_baseline("middle");
        let mut free_from = f64::NEG_INFINITY;
        for flag in self.chart.timeline.flags() {
            if flag.at_ms < self.from_ms || flag.at_ms > self.to_ms {
                continue;
            }
            let x = self.x(flag.at_ms as f64).round();
            context.set_fill_style_str(&theme.text);
            context.fill_rect(x, 2.0, 1.5, self.bottom - 2.0);
            context.begin_path();
            context.move_to(x, 2.0);
            context.line_to(x + 10.0, 6.5);
            context.line_to(x, 11.0);
            context.fill();
            // The text is left out where the former one still stands; hover and table have it.
            let label: String = flag.label.chars().take(24).collect();
            let left = x + 13.0;
            let width = self.surface.text_width(&label);
            if left >= free_from && left + width <= self.surface.width {
                self.surface.text(&label, left, 8.0, &theme.text);
                free_from = left + width + 8.0;
            }
        }
    }

    fn cursor(&self, theme: &Theme) {
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

fn is_face(slice: &Slice) -> bool {
    matches!(slice.shown, Shown::Faces { .. })
}

/// Heights of the borders between layers, 0 … 1, from the bottom.
fn cumulative(shown: &Shown) -> [f64; LAYERS + 1] {
    let mut heights = [0.0; LAYERS + 1];
    if let Shown::Faces { unsure, scores } = shown {
        let certain = f64::from(1.0 - unsure);
        // Scores sum to about 1; the rest is made up so that the top edge stays straight.
        let sum: f64 = scores.0.iter().map(|score| f64::from(*score)).sum::<f64>().max(1e-6);
        for (place, score) in scores.0.iter().enumerate() {
            heights[place + 1] = heights[place] + f64::from(*score) / sum * certain;
        }
        heights[LAYERS] = 1.0;
    }
    heights
}

/// A round distance of ticks, so that labels stand at least 72 px apart.
fn tick_ms(span_ms: u64, width: f64) -> u64 {
    const STEPS: [u64; 10] = [1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000];
    let least = span_ms as f64 * 72.0 / width.max(1.0);
    STEPS.into_iter().find(|step| *step as f64 >= least).unwrap_or(600_000)
}
