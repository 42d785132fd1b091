//! What identifies a token.

use std::sync::Arc;

/// What identifies a token, and when it is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Its `jti`, or a digest of what was signed where it has none.
    pub id: Arc<str>,
    /// Its `iat`, Unix milliseconds.
    pub issued_ms: Option<i64>,
    /// Its `exp`, Unix seconds: it is still valid in this one.
    pub expires: u64,
    /// When the first token was issued in the chain in which each was requested with the one before (`auth_time`), Unix
    /// seconds.
    pub first: Option<u64>,
}
