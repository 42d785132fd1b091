//! Tokens of a session that were valid and are no longer accepted, as they are stored.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What was revoked for one session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Revoked {
    /// Every token that was issued up to this time, Unix milliseconds.
    pub until_ms: Option<i64>,
    /// The `jti` of the token that asked for it, which stays valid.
    pub except: Option<String>,
    /// The `jti` of each token that was revoked by name.
    pub ids: BTreeSet<String>,
}

/// What is to be revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revocation {
    One(String),
    /// All that were issued until now.
    All {
        until_ms: i64,
        except: Option<String>,
    },
}
