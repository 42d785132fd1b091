//! What a recording is, and everything that is done with it. Only the files in this folder change its state; views read
//! it, and call these functions.
//!
//! From the top: a recording is finished or looked up; either opens its source and its link, which record what they
//! learn in the state at the bottom. The one call upwards, from a link that has ended, is a function passed to the
//! state.

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
pub(super) mod neutral;
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
