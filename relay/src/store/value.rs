//! Values as they are stored.

use mien_shared::api::{SourceName, SourceNameFault};

use super::error::Result;

/// The current time, to the millisecond, as it is stored: an answer now must equal what is read later.
pub(super) fn now() -> jiff::Timestamp {
    timestamp(millis(crate::clock::now()))
}

/// Unix milliseconds of a time.
pub(super) fn millis(time: jiff::Timestamp) -> i64 {
    time.as_millisecond()
}

/// A time from the database; one that jiff cannot represent becomes the earliest that it can.
pub(super) fn timestamp(millis: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MIN)
}

/// Seqs, times and counts are at most 2^53 − 1, so they are never negative and fit both ways.
pub(super) fn unsigned(value: i64) -> u64 {
    value.cast_unsigned()
}

pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn source_name(text: &str) -> Result<SourceName> {
    text.parse().map_err(|cause: SourceNameFault| sqlx::Error::Decode(cause.into()).into())
}
