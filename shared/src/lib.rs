//! What both ends of Mien agree on: samples, messages, HTTP shapes, errors and limits.
//!
//! Pure data and pure functions: no I/O, no async, the same on native and wasm32. No type in this crate
//! can carry a pixel, so sending a frame out of the browser would take a change here that everyone sees.
#![forbid(unsafe_code)]

pub mod api;
mod close_code;
pub mod expression;
pub mod limits;
mod object;
pub mod problem;
pub mod protocol;
pub mod sample;
#[cfg(feature = "schema")]
pub mod schema;
pub mod series;
mod speaker;
mod whole;

pub use api::{Role, SessionId, SessionStatus, SourceName};
pub use expression::{Expression, Scores};
pub use problem::{Code, Problem};
pub use sample::{Coefficients, Face, FaceBox, FaceLandmarks, QualityReason, Sample, SkipReason, Skipped};
pub use speaker::speaker;
