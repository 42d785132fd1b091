//! Markers: notes on the timeline.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::source::SourceName;
use crate::whole::whole;

/// A note on the timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Marker {
    pub id: Uuid,
    /// Unix milliseconds.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::UnixMilliseconds))]
    pub at: u64,
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Label))]
    pub label: String,
    #[cfg_attr(feature = "schema", schema(required))]
    pub source: Option<SourceName>,
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CreateMarker {
    #[serde(deserialize_with = "whole")]
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::UnixMilliseconds))]
    pub at: u64,
    /// 1–500 characters.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Label))]
    pub label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceName>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MarkerList {
    #[cfg_attr(feature = "schema", schema(value_type = schema::Markers))]
    pub markers: Vec<Marker>,
}

#[cfg(feature = "schema")]
mod schema {
    use super::Marker;
    use crate::limits::MAX_MARKERS;
    use crate::schema::{components, list};

    components! {
        /// The markers of a session.
        pub(crate) Markers: list::<Marker>(0..=MAX_MARKERS), of Marker;
    }
}
