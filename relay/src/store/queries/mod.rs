//! What both databases are asked in the same words.

pub(super) mod gaps;
pub(super) mod markers;
pub(super) mod revocations;
pub(super) mod samples;
pub(super) mod sessions;
pub(super) mod sources;
