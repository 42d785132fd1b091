//! What a token says.

use super::caller::Caller;
use super::stamp::Stamp;

/// A token that is not valid. The caller is not told why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token is missing, bad or expired")]
pub struct BadToken;

/// A valid token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub caller: Caller,
    pub stamp: Stamp,
}

/// When a token is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Issue {
    pub at_ms: i64,
    /// See [`Stamp::first`].
    pub first: u64,
}

impl Issue {
    /// Now, for a caller that needed no other token.
    pub fn now() -> Self {
        let now = crate::clock::now();
        Self { at_ms: now.as_millisecond(), first: u64::try_from(now.as_second()).unwrap_or(0) }
    }
}
