//! What the engine needs before it can run: where its files are, the models, and why a worker does not start.

mod assets;
mod models;
mod progress;
pub(crate) mod startup;

pub use assets::{Assets, LandmarkUrls, ModelUrls};
pub(crate) use models::{LandmarkFiles, ModelFiles, fetch_landmarks, fetch_models};
pub(crate) use progress::LoadMeter;
pub use progress::LoadProgress;
