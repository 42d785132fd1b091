//! Gaps: seqs that never came.

use serde::{Deserialize, Serialize};

use super::source::SourceName;

/// Seqs of a source that never came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SourceGap {
    pub source: SourceName,
    /// The first of them.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Seq))]
    pub from: u64,
    /// The last of them.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Seq))]
    pub to: u64,
    /// Whether this is several gaps, with what came between them. Absent where it is one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub merged: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct GapList {
    #[cfg_attr(feature = "schema", schema(value_type = schema::GapPage))]
    pub gaps: Vec<SourceGap>,
    /// Cursor of the next page; null on the last.
    #[cfg_attr(feature = "schema", schema(required))]
    pub next: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
pub(super) fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(feature = "schema")]
mod schema {
    use super::SourceGap;
    use crate::limits::MAX_PAGE;
    use crate::schema::{components, list};

    components! {
        /// The gaps of a page.
        pub(crate) GapPage: list::<SourceGap>(0..=MAX_PAGE as usize), of SourceGap;
    }
}
