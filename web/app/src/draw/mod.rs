//! Draws the model on canvases. Nothing here decides; it is told what to draw and where.

mod chart;
mod overlay;
mod surface;

pub(crate) use chart::{Chart, draw_chart};
pub(crate) use overlay::{Motion, Overlay, Scene};
pub(crate) use surface::{SizeGuard, Surface};
