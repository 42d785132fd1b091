//! From settings to a relay that serves until it is told to stop.

mod run;
mod signals;

pub use run::{run, serve, serve_with_metrics};
