//! A face of a sample, and where it is in the frame.

use serde::{Deserialize, Serialize};

use super::fault::SampleFault;
use crate::expression::{Expression, Scores};
use crate::limits::{BOX_RANGE, SCORE_SUM_TOLERANCE};
use crate::whole::whole;

/// One face of a sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Face {
    /// Identity within the source, stable while the face is tracked.
    #[serde(deserialize_with = "whole")]
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::FaceId))]
    pub id: u32,
    #[serde(rename = "box")]
    pub bounds: FaceBox,
    /// Null where the analyser abstains. The key must be there: absent and null are not the same.
    #[serde(deserialize_with = "Option::deserialize")]
    #[cfg_attr(feature = "schema", schema(required))]
    pub expression: Option<Expression>,
    pub scores: Scores,
    /// How far the face can be judged (size, pose, light), 0 … 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::schema::Share>))]
    pub quality: Option<f32>,
}

/// Left, top, width and height as fractions of the frame; on the wire a list of these four.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f32; 4]", into = "[f32; 4]")]
pub struct FaceBox {
    pub left: f32,
    pub top: f32,
    pub width: f32,
    pub height: f32,
}

impl FaceBox {
    /// Shared area over covered area, 0 … 1.
    pub fn iou(&self, other: &Self) -> f32 {
        let width = (self.left + self.width).min(other.left + other.width) - self.left.max(other.left);
        let height = (self.top + self.height).min(other.top + other.height) - self.top.max(other.top);
        if width <= 0.0 || height <= 0.0 {
            return 0.0;
        }
        let shared = width * height;
        shared / (self.width * self.height + other.width * other.height - shared)
    }
}

impl From<[f32; 4]> for FaceBox {
    fn from([left, top, width, height]: [f32; 4]) -> Self {
        Self { left, top, width, height }
    }
}

impl From<FaceBox> for [f32; 4] {
    fn from(b: FaceBox) -> Self {
        [b.left, b.top, b.width, b.height]
    }
}

impl Face {
    pub(super) fn validate(&self, face: usize) -> Result<(), SampleFault> {
        // `contains` is false for NaN and the infinities, so this is the finiteness check too.
        let bounds: [f32; 4] = self.bounds.into();
        if let Some(place) = bounds.iter().position(|side| !BOX_RANGE.contains(side)) {
            return Err(SampleFault::Box { face, place });
        }
        if self.bounds.width <= 0.0 || self.bounds.height <= 0.0 {
            return Err(SampleFault::EmptyBox { face });
        }
        if let Some(place) = self.scores.0.iter().position(|score| !(0.0..=1.0).contains(score)) {
            return Err(SampleFault::Score { face, place });
        }
        let sum: f32 = self.scores.0.iter().sum();
        // The margin keeps 0.95 and 1.05 themselves valid in spite of rounding.
        if (sum - 1.0).abs() > SCORE_SUM_TOLERANCE + 1e-5 {
            return Err(SampleFault::ScoreSum { face });
        }
        match self.quality {
            Some(quality) if !(0.0..=1.0).contains(&quality) => Err(SampleFault::Quality { face }),
            _ => Ok(()),
        }
    }
}

#[cfg(feature = "schema")]
mod schema {
    use utoipa::openapi::RefOr;
    use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
    use utoipa::{PartialSchema, ToSchema};

    use super::{Face, FaceBox};
    use crate::limits::{BOX_RANGE, MAX_FACES};
    use crate::schema::{components, list, number};

    components! {
        /// Every face that the frame showed.
        pub(crate) Faces: list::<Face>(0..=MAX_FACES), of Face;
    }

    impl PartialSchema for FaceBox {
        fn schema() -> RefOr<Schema> {
            let (low, high) = (f64::from(*BOX_RANGE.start()), f64::from(*BOX_RANGE.end()));
            let side = |about: &str| number(low..=high).description(Some(about)).build();
            let length = |about: &str| {
                let above_zero = ObjectBuilder::new().schema_type(Type::Number).exclusive_minimum(Some(0.0));
                above_zero.maximum(Some(high)).description(Some(about)).build()
            };
            let list = ArrayBuilder::new()
                .prefix_items([side("left"), side("top"), length("width"), length("height")])
                // For AsyncAPI's readers, whose JSON Schema (draft 7) does not know `prefixItems`.
                .items(number(low..=high).build())
                .min_items(Some(4))
                .max_items(Some(4))
                .description(Some("Left, top, width and height as fractions of the frame."));
            Schema::from(list.build()).into()
        }
    }

    impl ToSchema for FaceBox {}
}

#[cfg(feature = "schema")]
pub(super) use schema::Faces;
