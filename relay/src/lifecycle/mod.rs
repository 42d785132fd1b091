//! What becomes of sessions.

pub mod retention;
