//! Mean scores over time.

use serde::{Deserialize, Serialize};

use super::source::SourceName;
use crate::expression::Scores;

/// Mean scores over one bucket of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SeriesPoint {
    /// Where the bucket begins, Unix milliseconds, a multiple of the resolution.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::UnixMilliseconds))]
    pub at: u64,
    pub source: SourceName,
    /// Faces in the bucket; each counts once.
    pub faces: u64,
    pub scores: Scores,
    /// Mean valence of those faces that have one; absent where none has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::schema::Valence>))]
    pub valence: Option<f32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Series {
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::ResolutionMilliseconds))]
    pub resolution_ms: u64,
    /// By time, then by source; empty buckets are left out.
    #[cfg_attr(feature = "schema", schema(value_type = schema::SeriesPoints))]
    pub points: Vec<SeriesPoint>,
}

#[cfg(feature = "schema")]
mod schema {
    use super::SeriesPoint;
    use crate::limits::MAX_SERIES_POINTS;
    use crate::schema::{components, list};

    components! {
        /// The points of a series.
        pub(crate) SeriesPoints: list::<SeriesPoint>(0..=MAX_SERIES_POINTS), of SeriesPoint;
    }
}
