//! What the landmarks of a face say: how the head is turned, the eyes, and the coefficients of its movements.

use serde::{Deserialize, Deserializer, Serialize};

use super::coefficients::Coefficients;
use super::fault::SampleFault;
use crate::limits::{GAZE_RANGE, HEAD_RANGE};

/// What the landmarks of a face say. What is not measured is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FaceLandmarks {
    /// Degrees by which the head is turned to the right in the picture, −180 … 180.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::schema::HeadDegrees>))]
    pub yaw: Option<f32>,
    /// Degrees by which the head is raised, −180 … 180.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::schema::HeadDegrees>))]
    pub pitch: Option<f32>,
    /// Degrees by which the head is tilted clockwise in the picture, −180 … 180.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::schema::HeadDegrees>))]
    pub roll: Option<f32>,
    /// How far the person's left eye is closed, 0 … 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::schema::Share>))]
    pub blink_left: Option<f32>,
    /// How far the person's right eye is closed, 0 … 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::schema::Share>))]
    pub blink_right: Option<f32>,
    /// Degrees by which the eyes look to the right in the picture and up, relative to the head, −90 … 90 each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<schema::Gaze>))]
    pub gaze: Option<[f32; 2]>,
    #[serde(default, deserialize_with = "coefficients", skip_serializing_if = "Coefficients::is_empty")]
    pub coefficients: Coefficients,
}

impl FaceLandmarks {
    pub(super) fn validate(&self, face: usize) -> Result<(), SampleFault> {
        let angles = [("yaw", self.yaw), ("pitch", self.pitch), ("roll", self.roll)];
        for (field, angle) in angles {
            if angle.is_some_and(|angle| !HEAD_RANGE.contains(&angle)) {
                return Err(SampleFault::HeadAngle { face, field });
            }
        }
        for (field, share) in [("blink_left", self.blink_left), ("blink_right", self.blink_right)] {
            if share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
                return Err(SampleFault::Blink { face, field });
            }
        }
        if let Some(place) = self.gaze.iter().flatten().position(|angle| !GAZE_RANGE.contains(angle)) {
            return Err(SampleFault::Gaze { face, place });
        }
        match self.coefficients.invalid() {
            Some(name) => Err(SampleFault::Coefficient { face, name }),
            None => Ok(()),
        }
    }
}

fn coefficients<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Coefficients, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(feature = "schema")]
mod schema {
    use crate::schema::{GazeDegrees, components, list};

    components! {
        /// Degrees by which the eyes look to the right in the picture, and up, relative to the head.
        pub(crate) Gaze: list::<GazeDegrees>(2..=2), of GazeDegrees;
    }
}
