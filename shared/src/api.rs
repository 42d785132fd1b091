//! The shapes of the HTTP interface.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::expression::Scores;
use crate::limits::MAX_SOURCE_CHARS;
use crate::sample::{Sample, SkipReason};
use crate::whole::{whole, whole_if_any};

/// Id of a session: a UUIDv7, so ids sort by their time of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct SessionId(pub Uuid);

impl std::fmt::Display for SessionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SessionId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::from_str(text).map(Self)
    }
}

/// Name of a source: 1–32 of `a-z 0-9 - _`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceName(std::sync::Arc<str>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a source's name is 1–{MAX_SOURCE_CHARS} of a-z 0-9 - _")]
pub struct SourceNameFault;

impl SourceName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `main`, the source of whoever names none.
impl Default for SourceName {
    fn default() -> Self {
        Self("main".into())
    }
}

impl FromStr for SourceName {
    type Err = SourceNameFault;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
        if (1..=MAX_SOURCE_CHARS).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(SourceNameFault)
        }
    }
}

impl TryFrom<String> for SourceName {
    type Error = SourceNameFault;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<SourceName> for String {
    fn from(name: SourceName) -> Self {
        (*name.0).to_owned()
    }
}

impl std::fmt::Display for SourceName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum SessionStatus {
    Active,
    Completed,
}

impl SessionStatus {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Completed => "completed",
        }
    }
}

/// What a capability token allows within its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// All of its session.
    Owner,
    /// Send samples of one source, nothing else.
    Ingest,
    /// Watch and read.
    Watch,
}

/// One recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Session {
    pub id: SessionId,
    pub user_id: String,
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Title))]
    pub title: String,
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Purpose))]
    pub purpose: String,
    pub status: SessionStatus,
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub started_at: Timestamp,
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime, required))]
    pub completed_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct CreateSession {
    /// At most 200 characters.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Title))]
    pub title: String,
    /// At most 500 characters.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Purpose))]
    pub purpose: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SessionCreated {
    pub session: Session,
    pub tokens: SessionTokens,
}

/// Capability tokens of a new session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SessionTokens {
    pub owner: String,
    pub ingest: String,
    pub watch: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PatchSession {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::schema::Title>))]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<SessionStatus>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SessionList {
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::SessionPage))]
    pub sessions: Vec<Session>,
    /// Cursor of the next page.
    #[cfg_attr(feature = "schema", schema(required))]
    pub next: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TokenRequest {
    pub role: Role,
    /// Only with role `ingest`; `main` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceName>,
    #[serde(default, deserialize_with = "whole_if_any", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::schema::TokenSeconds>))]
    pub ttl_s: Option<u64>,
}

/// Which tokens of a session are no longer to be believed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RevokeRequest {
    /// The `jti` of the one token; all of the session but the caller's where there is none.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::TokenId, required = false))]
    pub jti: Option<String>,
}

/// What is there has a value: `null`, as a client writes that has lost the name, must not mean all.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TokenGrant {
    pub token: String,
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub expires_at: Timestamp,
}

/// A sample with the source it came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StoredSample {
    pub source: SourceName,
    #[serde(flatten)]
    pub sample: Sample,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SamplesPage {
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::SamplePage))]
    pub samples: Vec<StoredSample>,
    /// Cursor of the next page.
    #[cfg_attr(feature = "schema", schema(required))]
    pub next: Option<String>,
}

/// An export as JSON: a session with all its samples, by source, then by seq.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SessionExport {
    pub session: Session,
    pub samples: Vec<StoredSample>,
}

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
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Series {
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::ResolutionMilliseconds))]
    pub resolution_ms: u64,
    /// By time, then by source; empty buckets are left out.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::SeriesPoints))]
    pub points: Vec<SeriesPoint>,
}

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
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Gaps))]
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
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::SourceSummaries))]
    pub sources: Vec<SourceSummary>,
}

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
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::GapPage))]
    pub gaps: Vec<SourceGap>,
    /// Cursor of the next page; null on the last.
    #[cfg_attr(feature = "schema", schema(required))]
    pub next: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

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
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Markers))]
    pub markers: Vec<Marker>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    Csv,
    Json,
    Ndjson,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_names() {
        for good in ["main", "a", "cam-2_b", &"x".repeat(32)] {
            assert_eq!(good.parse::<SourceName>().unwrap().as_str(), good);
        }
        for bad in ["", "Main", "ä", "a b", "a/b", &"x".repeat(33)] {
            assert_eq!(bad.parse::<SourceName>(), Err(SourceNameFault));
        }
        assert_eq!(SourceName::default().as_str(), "main");
    }

    #[test]
    fn a_stored_sample_stands_flat() {
        let stored = StoredSample { source: SourceName::default(), sample: Sample::new(1, 2, Vec::new()) };
        let text = serde_json::to_string(&stored).unwrap();
        assert_eq!(text, r#"{"source":"main","seq":1,"at":2,"faces":[]}"#);
        assert_eq!(serde_json::from_str::<StoredSample>(&text).unwrap(), stored);
    }
}
