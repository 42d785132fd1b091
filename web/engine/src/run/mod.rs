//! One source at a time, going through the pool.
//!
//! The `Player` owns the slot and the run that plays. An `ActiveRun` offers frames of its `Input` to the pool and turns
//! answers into tracked faces; `Account` knows which time was not analysed, and why.

mod account;
mod active;
mod carry_over;
mod event;
mod handle;
mod input;
mod liveness;
mod outcome;
mod player;
mod presence;
mod scope;
mod slot;
mod source;
mod state;
mod stats;
mod upkeep;

pub use event::{AnalysedFrame, EndReason, RunEvent, RunStats, SourceState};
pub use handle::Run;
pub(crate) use player::Player;
pub use slot::{Replaced, SourceRequest, SourceSlot};
pub use source::SourceChoice;
pub(crate) use state::FrameTag;
