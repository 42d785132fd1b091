//! What both databases are asked with the same SQL.

pub(super) mod gaps;
pub(super) mod markers;
pub(super) mod revocations;
pub(super) mod samples;
pub(super) mod sessions;
pub(super) mod sources;
