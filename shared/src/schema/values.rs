//! Numbers and texts whose limits no Rust type says.

use std::ops::RangeInclusive;

use super::component::{components, integer, number, text, words};
use crate::limits::{
    DEFAULT_PAGE, DEFAULT_RESOLUTION_MS, GAZE_RANGE, HEAD_RANGE, MAX_LABEL_CHARS, MAX_PAGE,
    MAX_PURPOSE_CHARS, MAX_REQUEST_ID_CHARS, MAX_SAFE_INTEGER, MAX_SOURCE_CHARS, MAX_TITLE_CHARS,
    MAX_TOKEN_ID_CHARS, MAX_TOKEN_TTL, VALENCE_RANGE,
};

const MAX: i64 = MAX_SAFE_INTEGER as i64;

components! {
    /// Number of a sample in its source.
    pub Seq: integer(1..=MAX);
    /// Number of a sample in its source, or 0: before the first.
    pub Through: integer(0..=MAX);
    /// Unix milliseconds.
    pub UnixMilliseconds: integer(0..=MAX);
    /// Unix milliseconds as the bound of a stretch of time: one past the largest `at` counts, too.
    pub TimeBound: integer(0..=MAX + 1);
    /// A time, in milliseconds.
    pub Milliseconds: integer(0..=MAX);
    /// A time, in milliseconds; below 0 where a clock was set back.
    pub SkippedMilliseconds: integer(-MAX..=MAX);
    /// Length of a bucket, in milliseconds.
    pub ResolutionMilliseconds: integer(1..=MAX).default(Some(DEFAULT_RESOLUTION_MS.into()));
    /// How long a token holds, in seconds; a relay's settings may allow less.
    pub TokenSeconds: integer(1..=MAX_TOKEN_TTL.as_secs() as i64);
    /// Rows of a page.
    pub PageLimit: integer(1..=i64::from(MAX_PAGE)).default(Some(DEFAULT_PAGE.into()));
    /// Identity of a face within its source.
    pub FaceId: integer(0..=i64::from(u32::MAX));
    /// A rate or a burst, in samples.
    pub SampleCount: integer(1..=i64::from(u32::MAX));
    /// HTTP status of an error.
    pub ErrorStatus: integer(400..=599);
    /// A probability, or a measure of quality.
    pub Share: number(0.0..=1.0);
    /// How pleasant an expression is: happiness less the strongest of sadness, anger, fear and disgust.
    pub Valence: number(range(VALENCE_RANGE));
    /// How many looks a person's own neutral face was taken from.
    pub Looks: integer(1..=i64::from(u32::MAX));
    /// How far a head is turned, in degrees.
    pub HeadDegrees: number(range(HEAD_RANGE));
    /// How far eyes look aside, in degrees.
    pub GazeDegrees: number(range(GAZE_RANGE));
    /// What a session is called.
    pub Title: words(0..=MAX_TITLE_CHARS);
    /// What a session is for.
    pub Purpose: words(0..=MAX_PURPOSE_CHARS);
    /// What a marker says.
    pub Label: words(1..=MAX_LABEL_CHARS);
    /// Name of a request: the client's `X-Request-Id`, or one that the relay made.
    pub RequestId: text(1..=MAX_REQUEST_ID_CHARS, "^[A-Za-z0-9._-]+$");
    /// Name of a token: its `jti`.
    pub TokenId: text(1..=MAX_TOKEN_ID_CHARS, "^[!-~]+$");
}

/// What a source's name is of, as a regular expression without anchors.
pub fn source_chars() -> String {
    format!("[a-z0-9_-]{{1,{MAX_SOURCE_CHARS}}}")
}

fn range(range: RangeInclusive<f32>) -> RangeInclusive<f64> {
    f64::from(*range.start())..=f64::from(*range.end())
}
