//! What a chart is drawn on: its data, its colours, and where time and shares lie on the canvas.

use web_sys::HtmlCanvasElement;

use crate::draw::surface::{Surface, css_color};
use crate::model::timeline::{Slice, Timeline, ValenceLine, Viewport};

/// Height of the strip with times, and of the strip with markers, CSS pixels.
pub(super) const AXIS: f64 = 18.0;
const MARKERS: f64 = 18.0;
pub(super) const FONT: &str = "500 12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

/// What to draw.
#[derive(Debug)]
pub(crate) struct Chart<'a> {
    pub timeline: &'a Timeline,
    pub viewport: Viewport,
    /// The instant whose values are read, Unix milliseconds.
    pub cursor_ms: Option<u64>,
    /// Whether the newest sample is current.
    pub live: bool,
    pub valence: ValenceLine,
}

pub(super) struct Theme {
    pub(super) muted: String,
    pub(super) text: String,
    pub(super) line: String,
    pub(super) hatch: String,
    pub(super) surface: String,
    pub(super) unsure: String,
}

impl Theme {
    pub(super) fn of(canvas: &HtmlCanvasElement) -> Self {
        Self {
            muted: css_color(canvas, "--muted"),
            text: css_color(canvas, "--text"),
            line: css_color(canvas, "--line"),
            hatch: css_color(canvas, "--control"),
            surface: css_color(canvas, "--surface"),
            unsure: css_color(canvas, "--unsure"),
        }
    }
}

pub(super) struct Plot<'a> {
    pub(super) surface: &'a Surface,
    pub(super) chart: &'a Chart<'a>,
    pub(super) from_ms: u64,
    pub(super) to_ms: u64,
    pub(super) slices: Vec<Slice>,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl<'a> Plot<'a> {
    pub(super) fn new(surface: &'a Surface, chart: &'a Chart<'a>) -> Self {
        let (from_ms, to_ms) = chart.viewport.range(chart.timeline.newest_ms());
        // A point every three pixels: finer ones cannot be distinguished.
        let slices = chart.timeline.slices(from_ms, to_ms, (surface.width / 3.0) as usize);
        Self { surface, chart, from_ms, to_ms, slices, top: MARKERS, bottom: surface.height - AXIS }
    }

    pub(super) fn x(&self, at_ms: f64) -> f64 {
        (at_ms - self.from_ms as f64) / self.chart.viewport.span_ms() as f64 * self.surface.width
    }

    pub(super) fn y(&self, share: f64) -> f64 {
        self.bottom - share * (self.bottom - self.top)
    }
}
