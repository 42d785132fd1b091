//! A face of a sample, and where it is in the frame.

use serde::{Deserialize, Serialize};

use super::fault::SampleFault;
use super::landmarks::FaceLandmarks;
use super::reason::{QualityReason, reasons};
use crate::expression::{Expression, Scores};
use crate::limits::{BOX_RANGE, SCORE_SUM_TOLERANCE, VALENCE_RANGE};
use crate::object::object_if_any;
use crate::whole::{whole, whole_if_any};

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
    /// How pleasant the expression is, −1 … 1: see [`Scores::valence`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::schema::Valence>))]
    pub valence: Option<f32>,
    /// How many looks the person's own neutral face was taken from, by which the scores were corrected. Absent where
    /// they were not.
    #[serde(default, deserialize_with = "whole_if_any", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::schema::Looks>))]
    pub neutral: Option<u32>,
    /// What lowers the quality.
    #[serde(default, deserialize_with = "reasons", skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(value_type = super::reason::QualityReasons))]
    pub why: Vec<QualityReason>,
    /// Boxed, as few faces have it and it is large.
    #[serde(default, deserialize_with = "object_if_any", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<FaceLandmarks>))]
    pub landmarks: Option<Box<FaceLandmarks>>,
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
    /// A face without what is optional.
    pub const fn new(id: u32, bounds: FaceBox, expression: Option<Expression>, scores: Scores) -> Self {
        Self {
            id,
            bounds,
            expression,
            scores,
            quality: None,
            valence: None,
            neutral: None,
            why: Vec::new(),
            landmarks: None,
        }
    }

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
        if self.quality.is_some_and(|quality| !(0.0..=1.0).contains(&quality)) {
            return Err(SampleFault::Quality { face });
        }
        if self.valence.is_some_and(|valence| !VALENCE_RANGE.contains(&valence)) {
            return Err(SampleFault::Valence { face });
        }
        if self.neutral == Some(0) {
            return Err(SampleFault::Neutral { face });
        }
        self.landmarks.as_ref().map_or(Ok(()), |landmarks| landmarks.validate(face))
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
