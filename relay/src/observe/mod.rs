//! What the relay reports about itself: metrics, logs and traces. Nothing here decides anything.

pub(crate) mod log_limit;
pub mod metrics;
pub mod telemetry;
pub mod trace;
