//! The last half hour of one source, in columns of a quarter of a second, and earlier parts that were requested.

mod columns;
mod line;
mod marker;
mod shown;
mod skipped;
mod slices;
#[cfg(test)]
mod tests;
mod viewport;

pub use columns::Timeline;
pub use line::ValenceLine;
pub use marker::TimelineMarker;
pub use shown::{COLUMN_MS, Shown};
pub use slices::Slice;
pub use viewport::Viewport;
