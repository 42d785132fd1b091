//! What is done to sessions, by request or because their time is over.

pub mod retention;
mod sessions;

pub use sessions::SessionError;
