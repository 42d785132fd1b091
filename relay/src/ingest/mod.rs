//! Samples on their way into the store: gathered, committed together, answered.

mod answers;
mod batcher;
mod lane;
mod source;
mod store_check;

pub use answers::{Answers, Mailbox, Reject};
pub use batcher::{Backpressure, Batcher};
pub use source::{ConnectedSource, Submission};
pub use store_check::WriteCheck;
