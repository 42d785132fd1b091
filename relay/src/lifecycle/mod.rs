//! What happens to sessions, on request or because their time is over.

pub mod retention;
mod sessions;

pub use sessions::SessionError;
