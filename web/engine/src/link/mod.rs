//! The connection to a relay.

mod backoff;
mod diagnosis;
mod session_fate;

pub(crate) use backoff::pause_ms;
pub(crate) use diagnosis::Doubt;
pub use diagnosis::Trouble;
pub use session_fate::{Standing, standing};
