//! A session summed up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::gaps::is_false;
use super::session::SessionId;
use super::source::SourceName;
use crate::sample::SkipReason;

/// Milliseconds for which faces showed each expression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct TimeByExpression {
    #[cfg_attr(feature = "schema", schema(required))]
    pub neutral: u64,
    #[cfg_attr(feature = "schema", schema(required))]
    pub happiness: u64,
    #[cfg_attr(feature = "schema", schema(required))]
    pub sadness: u64,
    #[cfg_attr(feature = "schema", schema(required))]
    pub anger: u64,
    #[cfg_attr(feature = "schema", schema(required))]
    pub fear: u64,
    #[cfg_attr(feature = "schema", schema(required))]
    pub disgust: u64,
    #[cfg_attr(feature = "schema", schema(required))]
    pub surprise: u64,
    /// A face in view, but the analyser abstained.
    #[cfg_attr(feature = "schema", schema(required))]
    pub unsure: u64,
}

/// How a person's own neutral face was used to correct scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NeutralUse {
    /// Faces whose scores were corrected; each face of each stored sample counts once.
    pub faces: u64,
    /// Faces in all.
    pub of: u64,
    /// The fewest looks that a neutral face was taken from.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Looks))]
    pub fewest_looks: u32,
    /// The most.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Looks))]
    pub most_looks: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SourceSummary {
    pub source: SourceName,
    pub stored: u64,
    /// Samples answered for with an ack: stored and rejected ones.
    pub acked: u64,
    pub rejected: u64,
    /// `at` of the earliest and latest stored sample, Unix milliseconds.
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::schema::UnixMilliseconds>, required))]
    pub first_at: Option<u64>,
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::schema::UnixMilliseconds>, required))]
    pub last_at: Option<u64>,
    /// Seqs that never came, each `[from, to]`, both inclusive: the first thousand. The others come page by page, from
    /// the call for gaps.
    #[cfg_attr(feature = "schema", schema(value_type = schema::Gaps))]
    pub gaps: Vec<[u64; 2]>,
    /// How many gaps there are. Relays up to 0.1 list them all, and do not say.
    #[serde(default)]
    pub gaps_total: u64,
    /// Of so many gaps the first are kept as they are, and the later ones together as one, which then has seqs in it
    /// that came. Absent where none were put together.
    #[serde(default, skip_serializing_if = "is_false")]
    pub gaps_merged: bool,
    pub time_by_expression_ms: TimeByExpression,
    /// Milliseconds in which nothing was analysed, by reason, of all stored samples; absent where nothing was skipped.
    /// The time from the first stored sample to the last is what was analysed and the sum of these. The sum of the
    /// clock's steps is below 0 where it was set back.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skipped_ms: BTreeMap<SkipReason, i64>,
    /// How the person's own neutral face was used; absent where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neutral: Option<NeutralUse>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Summary {
    pub session: SessionId,
    pub stored: u64,
    pub acked: u64,
    pub rejected: u64,
    /// Faces in all stored samples.
    pub faces: u64,
    pub time_by_expression_ms: TimeByExpression,
    #[cfg_attr(feature = "schema", schema(value_type = schema::SourceSummaries))]
    pub sources: Vec<SourceSummary>,
}

#[cfg(feature = "schema")]
mod schema {
    use super::SourceSummary;
    use crate::limits::{MAX_LISTED_GAPS, MAX_SOURCES};
    use crate::schema::{Seq, components, list};

    components! {
        /// The sources of a session.
        pub(crate) SourceSummaries: list::<SourceSummary>(0..=MAX_SOURCES), of SourceSummary;
        /// The first and the last of the seqs that never came.
        pub(crate) Gap: list::<Seq>(2..=2), of Seq;
        /// The first gaps of a source.
        pub(crate) Gaps: list::<Gap>(0..=MAX_LISTED_GAPS), of Gap;
    }
}
