//! One source at a time, going through the pool.
//!
//! The `Player` owns the slot and the run that plays. An `ActiveRun` offers frames of its `Input` to the pool and turns
//! answers into tracked faces. `People` follows the faces, and takes their own neutral ones on request; `LeftOut` knows
//! whom the person leaves out; `Account` knows which time was not analysed, and why.

mod account;
mod active;
mod calibration;
mod carry_over;
mod doubts;
mod event;
mod handle;
mod input;
mod landmark_pace;
mod left_out;
mod liveness;
mod outcome;
mod people;
mod player;
mod presence;
mod scope;
mod slot;
mod source;
mod state;
mod stats;
mod upkeep;

pub use calibration::{CalibrationEnd, CalibrationState, FaceProgress, NeutralTaken, Obstacle};
pub use doubts::FaceDoubts;
pub use event::{AnalysedFrame, EndReason, RunEvent, RunStats, SourceState};
pub use handle::Run;
pub use left_out::LeftOutFace;
pub(crate) use player::Player;
pub use slot::{Replaced, SourceRequest, SourceSlot};
pub use source::SourceChoice;
pub(crate) use state::FrameTag;
