//! Samples on their way into the store: gathered, committed together, answered.

pub mod answers;
pub mod batcher;
pub mod writable;
