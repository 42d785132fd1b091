//! What a watcher and the relay say to each other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::{SessionId, SessionStatus, SourceName};
use crate::expression::Expression;
use crate::problem::Code;
use crate::sample::Sample;

/// What a watcher sends: `since` names the last seq seen of each source; absent means live from now.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum WatchRequest<'a> {
    Hello {
        token: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schema(value_type = Option<BTreeMap<SourceName, crate::schema::Through>>))]
        since: Option<&'a BTreeMap<SourceName, u64>>,
    },
}

/// What the relay sends a watcher.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum WatchReply {
    Welcome(WatchWelcome),
    Samples {
        source: SourceName,
        samples: Vec<Sample>,
    },
    /// Sources and watchers connected now, oneself included.
    Presence {
        #[cfg_attr(feature = "schema", schema(value_type = crate::api::SourceNames))]
        sources: Vec<SourceName>,
        watchers: u64,
    },
    Session {
        status: SessionStatus,
    },
    Error {
        #[cfg_attr(feature = "schema", schema(value_type = crate::problem::ErrorCode))]
        code: Code,
        detail: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WatchWelcome {
    pub session: SessionId,
    pub status: SessionStatus,
    #[cfg_attr(feature = "schema", schema(value_type = crate::expression::Expressions))]
    pub expressions: Vec<Expression>,
    #[cfg_attr(feature = "schema", schema(value_type = crate::api::SourceNames))]
    pub sources: Vec<SourceName>,
    pub watchers: u64,
    /// The seq of each source's newest stored sample at this moment, 0 where none is stored: whoever has seen that
    /// has caught up, and whoever begins behind it sees only what is new. Absent from an older relay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughs: Option<BTreeMap<SourceName, u64>>,
}
