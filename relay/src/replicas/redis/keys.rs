//! Names of keys and channels.

use mien_shared::SessionId;
use mien_shared::api::SourceName;

/// What every relay must hear.
pub(super) const ALL: &str = "mien:all";
/// Prefix of the channels that carry samples.
pub(super) const SAMPLES: &str = "mien:samples:";

/// A session's committed samples: subscribed to where it has watchers.
pub(super) fn samples_channel(id: SessionId) -> String {
    format!("{SAMPLES}{id}")
}

/// A session's presence and claims: subscribed to where anyone is connected to it.
pub(super) fn live_channel(id: SessionId) -> String {
    format!("mien:live:{id}")
}

/// A source's recent window.
pub(super) fn window_key(id: SessionId, source: &SourceName) -> String {
    format!("mien:window:{id}:{source}")
}

/// Marks a session as erased, so that nothing of it is written any more.
pub(super) fn gone_key(id: SessionId) -> String {
    format!("mien:gone:{id}")
}

pub(super) fn presence_key(id: SessionId) -> String {
    format!("mien:presence:{id}")
}

pub(super) fn claim_key(id: SessionId, source: &SourceName) -> String {
    format!("mien:claim:{id}:{source}")
}

pub(super) fn session_key(id: SessionId) -> String {
    format!("mien:session:{id}")
}

pub(super) fn bucket_key(kind: &str, user: &str) -> String {
    format!("mien:rate:{kind}:{user}")
}
