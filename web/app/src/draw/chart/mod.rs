//! The timeline on its canvas.

mod areas;
mod labels;
mod plot;
mod valence;

use web_sys::HtmlCanvasElement;

pub(crate) use self::plot::Chart;
use self::plot::{Plot, Theme};
use super::surface::Surface;

pub(crate) fn draw_chart(canvas: &HtmlCanvasElement, chart: &Chart<'_>) {
    let Some(surface) = Surface::clear(canvas) else { return };
    let theme = Theme::of(canvas);
    let plot = Plot::new(&surface, chart);
    plot.hatch_gaps(&theme);
    plot.skip_reasons(&theme);
    plot.areas(&theme);
    if chart.valence.is_shown() {
        plot.valence(&theme);
    }
    plot.axis(&theme);
    plot.markers(&theme);
    plot.cursor(&theme);
}
