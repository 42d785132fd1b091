//! A sample: what one analysed frame showed, and what makes it valid.

mod coefficients;
mod face;
mod fault;
mod landmarks;
mod reason;
mod skipped;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::limits::{MAX_FACES, MAX_SAFE_INTEGER, MAX_SKIPPED};
use crate::object::{objects, objects_or_null};
use crate::whole::{whole, whole_if_any};

pub use coefficients::Coefficients;
pub use face::{Face, FaceBox};
pub use fault::SampleFault;
pub use landmarks::FaceLandmarks;
pub use reason::QualityReason;
pub use skipped::{SkipReason, Skipped};

/// What one analysed frame showed. An empty list of faces is a real answer: nobody in view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Sample {
    /// Number of the sample in its source, from 1, strictly increasing.
    #[serde(deserialize_with = "whole")]
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Seq))]
    pub seq: u64,
    /// Capture time in Unix milliseconds, by the source's clock.
    #[serde(deserialize_with = "whole")]
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::UnixMilliseconds))]
    pub at: u64,
    /// Position in the file, in milliseconds, where the frame came from one; 0 … 2^53−1.
    #[serde(default, deserialize_with = "whole_if_any", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::schema::Milliseconds>))]
    pub media_ms: Option<u64>,
    /// Time since the source's last sample in which nothing was analysed, by reason, each once. It accounts for what
    /// of the difference between two `at` is no analysed time, so that the totals of a recording add up to its length.
    #[serde(default, deserialize_with = "objects_or_null", skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(value_type = skipped::SkippedTimes))]
    pub skipped: Vec<Skipped>,
    #[serde(deserialize_with = "objects")]
    #[cfg_attr(feature = "schema", schema(value_type = face::Faces))]
    pub faces: Vec<Face>,
}

impl Sample {
    /// A sample of a camera, without what is optional.
    pub const fn new(seq: u64, at: u64, faces: Vec<Face>) -> Self {
        Self { seq, at, media_ms: None, skipped: Vec::new(), faces }
    }

    /// Holds every rule of the contract's table that the types alone do not.
    pub fn validate(&self) -> Result<(), SampleFault> {
        if !(1..=MAX_SAFE_INTEGER).contains(&self.seq) {
            return Err(SampleFault::Seq);
        }
        if self.at > MAX_SAFE_INTEGER {
            return Err(SampleFault::At);
        }
        if self.media_ms.is_some_and(|position| position > MAX_SAFE_INTEGER) {
            return Err(SampleFault::MediaMs);
        }
        self.validate_skipped()?;
        if self.faces.len() > MAX_FACES {
            return Err(SampleFault::TooManyFaces);
        }
        self.faces.iter().enumerate().try_for_each(|(place, face)| face.validate(place))
    }

    fn validate_skipped(&self) -> Result<(), SampleFault> {
        if self.skipped.len() > MAX_SKIPPED {
            return Err(SampleFault::TooManySkipped);
        }
        for (place, skipped) in self.skipped.iter().enumerate() {
            let twice = skipped.reason != SkipReason::Other
                && self.skipped[..place].iter().any(|earlier| earlier.reason == skipped.reason);
            if twice {
                return Err(SampleFault::SkippedTwice);
            }
            if !skipped.is_valid() {
                return Err(SampleFault::SkippedMs { place });
            }
        }
        Ok(())
    }
}
