//! The timeline: chart, values under pointer or keys, zoom, and the same as a table.

mod gestures;
mod plot;
mod readout;
mod redraw;
mod table;

pub(crate) use plot::TimelinePlot;
