//! One source going through the pool.

mod account;
mod active;
mod event;
mod input;
mod liveness;
mod outcome;
mod scope;
mod slot;
mod source;

pub(crate) use account::Stamp;
pub(crate) use active::RunHandle;
pub use event::{AnalysedFrame, EndReason, Run, RunEvent, RunStats, Silence, SourceState};
pub(crate) use input::Input;
pub(crate) use slot::Rank;
pub use slot::{Replaced, SourceRequest, SourceSlot};
pub use source::{CameraChoice, Facing, SourceChoice};
