//! The recordings of this device, with capability tokens of their own, each of which opens one session and expires.

use mien_engine::api::Relay;
use mien_engine::{SessionAccess, page_base, sockets_base, token, wall_now};
use mien_shared::api::{SessionCreated, SessionTokens};
use mien_shared::{SessionId, SourceName};
use serde::{Deserialize, Serialize};

use super::progress;
use crate::browser::WebStorage;
use crate::model::recordings::merged;

const RECORDINGS_KEY: &str = "mien.sessions";
const ERASED_KEY: &str = "mien.erased";
/// Sessions to remember; the oldest goes first.
const MAX_SESSIONS: usize = 20;

/// Its names in storage are those of earlier versions of the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedRecording {
    pub session: SessionId,
    pub title: String,
    /// Unix milliseconds.
    pub started_ms: u64,
    pub tokens: SessionTokens,
    /// When the tokens were last renewed, Unix milliseconds; 0 if they are the session's first.
    #[serde(default, rename = "got_ms")]
    pub renewed_ms: u64,
}

impl SavedRecording {
    pub(crate) fn of(created: &SessionCreated) -> Self {
        Self {
            session: created.session.id,
            title: created.session.title.clone(),
            started_ms: u64::try_from(created.session.started_at.as_millisecond()).unwrap_or(0),
            tokens: created.tokens.clone(),
            renewed_ms: 0,
        }
    }

    pub(crate) fn relay(&self) -> Relay {
        Relay::new(page_base(), Some(self.tokens.owner.clone()))
    }

    pub(crate) fn access(&self) -> SessionAccess {
        SessionAccess {
            session: self.session,
            source: SourceName::default(),
            ingest_token: self.tokens.ingest.clone(),
            relay_origin: sockets_base(),
        }
    }

    /// The address for watchers. The token comes after the `#`, which browsers never send.
    pub(crate) fn share_link(&self) -> String {
        format!("{}/watch/{}#{}", page_base(), self.session, self.tokens.watch)
    }

    /// Whether it is time for new tokens, by this device's clock. If that is wrong, the relay refuses a token that has
    /// expired.
    pub(crate) fn should_renew(&self) -> bool {
        let since_ms = self.started_ms.max(self.renewed_ms);
        let expires_ms = token::expires_ms(&self.tokens.owner);
        expires_ms.is_some_and(|expires_ms| wall_now().0 >= token::renew_at_ms(since_ms, expires_ms))
    }

    /// Whether the owner's token has expired, by this device's clock.
    pub(crate) fn is_expired(&self) -> bool {
        token::expires_ms(&self.tokens.owner).is_none_or(|expires_ms| wall_now().0 >= expires_ms)
    }

    /// The title, or words in its place.
    pub(crate) fn name(&self) -> String {
        if self.title.trim().is_empty() { "Untitled session".to_owned() } else { self.title.clone() }
    }
}

/// The oldest first.
fn all() -> Vec<SavedRecording> {
    let read = |storage: WebStorage| storage.read::<Vec<SavedRecording>>(RECORDINGS_KEY).unwrap_or_default();
    merged(read(WebStorage::Device), read(WebStorage::Tab), |recording| recording.session)
}

/// If the device has no room, the tab has the newer list.
fn write(list: &Vec<SavedRecording>) {
    if WebStorage::Device.write(RECORDINGS_KEY, list) {
        WebStorage::Tab.remove(RECORDINGS_KEY);
    } else {
        WebStorage::Tab.write(RECORDINGS_KEY, list);
    }
}

/// Recordings of this device, the newest first.
pub(crate) fn list() -> Vec<SavedRecording> {
    let mut list = all();
    list.sort_by_key(|recording| std::cmp::Reverse(recording.started_ms));
    list
}

pub(crate) fn find(session: SessionId) -> Option<SavedRecording> {
    all().into_iter().find(|recording| recording.session == session)
}

pub(crate) fn save(recording: SavedRecording) {
    let mut list = all();
    list.retain(|other| other.session != recording.session);
    list.push(recording);
    if list.len() > MAX_SESSIONS {
        let too_old = list.drain(..list.len() - MAX_SESSIONS);
        too_old.for_each(|old| progress::forget_bytes_sent(old.session));
    }
    write(&list);
}

pub(crate) fn forget(session: SessionId) {
    let mut list = all();
    list.retain(|recording| recording.session != session);
    write(&list);
    progress::forget(session);
}

/// Forgets everything about a session except that it was erased.
pub(crate) fn forget_erased(session: SessionId) {
    forget(session);
    let mut list = erased_sessions();
    list.retain(|other| *other != session);
    list.push(session);
    if list.len() > MAX_SESSIONS {
        list.drain(..list.len() - MAX_SESSIONS);
    }
    WebStorage::Device.write(ERASED_KEY, &list);
}

/// Whether this device knows that the session was erased.
pub(crate) fn was_erased(session: SessionId) -> bool {
    erased_sessions().contains(&session)
}

fn erased_sessions() -> Vec<SessionId> {
    WebStorage::Device.read(ERASED_KEY).unwrap_or_default()
}
