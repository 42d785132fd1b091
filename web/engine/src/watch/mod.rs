//! The live view of a session.

mod handle;
mod pace;
mod receiver;

pub use handle::{Begin, Behind, Watch, WatchEvent, WatchState};
pub use pace::SourcePace;
