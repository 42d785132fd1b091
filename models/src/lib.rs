//! From pixels to faces: detection, expression and tracking, the same on native and wasm32.
//!
//! Pure: no files, no clock, no threads. The networks need the feature `inference`; without it the crate is image
//! geometry, decoding, the tracker and the manifest, which is everything that the page needs.
//!
//! ```text
//! Frame ──letterbox──► detector ──decode──► faces ──crop, two views──► expression ──► Detection ──► Tracker ──► Face
//! ```
#![forbid(unsafe_code)]

#[cfg(feature = "inference")]
pub mod analyzer;
mod association;
pub mod blazeface;
pub mod detection;
pub mod detector;
pub mod expression;
#[cfg(feature = "inference")]
mod finder;
pub mod image;
mod keypoint;
pub mod landmarks;
pub mod manifest;
#[cfg(feature = "inference")]
mod mesh;
#[cfg(feature = "inference")]
mod network;
mod pace;
#[cfg(feature = "pictures")]
pub mod picture;
pub mod quality;
pub mod scope;
mod steady;
mod track;
pub mod tracker;
#[cfg(feature = "cli")]
pub mod weights;

#[cfg(feature = "inference")]
pub use analyzer::{Analyzer, Seen, Weights};
pub use blazeface::Candidate;
pub use detection::{ABSTAIN_BELOW, Detection, JUDGED_FROM};
pub use detector::Detector;
pub use expression::{Look, Neutral, NeutralLooks};
pub use image::{Frame, FrameError};
pub use keypoint::Keypoint;
pub use landmarks::{Landmarked, Landmarks, Outline};
pub use manifest::{MODELS, ModelId, ModelInfo};
#[cfg(feature = "inference")]
pub use mesh::LandmarkWeights;
#[cfg(feature = "inference")]
pub use network::{InferenceError, ModelError};
pub use quality::Doubt;
pub use scope::Scope;
pub use steady::MAX_EXPECTED;
pub use tracker::{FaceOutline, RawFace, Tracker};
