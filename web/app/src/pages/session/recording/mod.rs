//! What a recording is, and each thing that is done with it. Only the files of this folder change its state; views
//! read it, and call what is done.
//!
//! From the top: a recording is finished or looked up; either opens its source and its link, which note what they learn
//! in the state at the bottom. The one way up, from a link that has ended, is a function that the state is given.

pub(super) mod cameras;
pub(super) mod erase;
pub(super) mod export;
pub(super) mod finish;
mod frames;
mod history;
pub(super) mod leave;
mod link;
pub(super) mod lookup;
pub(super) mod markers;
pub(super) mod notices;
mod phase;
pub(super) mod screen;
pub(super) mod source;
mod state;
mod status;
pub(super) mod summary;
mod tokens;
pub(super) mod unsent;

pub(super) use phase::{NoSummary, Outcome, Phase};
pub(super) use state::Recording;
pub(super) use status::LOOKING_UP;
