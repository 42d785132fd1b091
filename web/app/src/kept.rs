//! What this device remembers of its recordings, so that a reload goes on where it was.
//!
//! Capability tokens of own sessions only; each opens one session and expires by itself. The samples are kept
//! by the engine's outbox, not here.

use mien_engine::api::Relay;
use mien_engine::{SessionAccess, page_origin, sockets_origin};
use mien_shared::api::{SessionCreated, SessionTokens};
use mien_shared::{SessionId, SourceName};
use serde::{Deserialize, Serialize};

use crate::browser::Memory;

const INDEX_KEY: &str = "mien.sessions";
const USER_TOKEN_KEY: &str = "mien.user_token";
const CAMERA_KEY: &str = "mien.camera";
/// Sessions to remember; the oldest goes first.
const MOST: usize = 20;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub session: SessionId,
    pub title: String,
    /// Unix milliseconds.
    pub started_ms: u64,
    pub tokens: SessionTokens,
}

impl Kept {
    pub(crate) fn of(created: &SessionCreated) -> Self {
        Self {
            session: created.session.id,
            title: created.session.title.clone(),
            started_ms: u64::try_from(created.session.started_at.as_millisecond()).unwrap_or(0),
            tokens: created.tokens.clone(),
        }
    }

    pub(crate) fn relay(&self) -> Relay {
        Relay::new(page_origin(), Some(self.tokens.owner.clone()))
    }

    pub(crate) fn access(&self) -> SessionAccess {
        SessionAccess {
            session: self.session,
            source: SourceName::default(),
            ingest_token: self.tokens.ingest.clone(),
            relay_origin: sockets_origin(),
        }
    }

    /// The address for watchers. The token stands behind the `#`, which browsers never send.
    pub(crate) fn share_link(&self) -> String {
        format!("{}/watch/{}#{}", page_origin(), self.session, self.tokens.watch)
    }

    /// The title, or words in its place.
    pub(crate) fn name(&self) -> String {
        if self.title.trim().is_empty() { "Untitled session".to_owned() } else { self.title.clone() }
    }
}

fn all() -> Vec<Kept> {
    Memory::Device.read(INDEX_KEY).or_else(|| Memory::Tab.read(INDEX_KEY)).unwrap_or_default()
}

fn write(list: &Vec<Kept>) {
    if !Memory::Device.write(INDEX_KEY, list) {
        Memory::Tab.write(INDEX_KEY, list);
    }
}

pub(crate) fn find(session: SessionId) -> Option<Kept> {
    all().into_iter().find(|kept| kept.session == session)
}

pub(crate) fn remember(kept: Kept) {
    let mut list = all();
    list.retain(|other| other.session != kept.session);
    list.push(kept);
    if list.len() > MOST {
        list.drain(..list.len() - MOST);
    }
    write(&list);
}

pub(crate) fn forget(session: SessionId) {
    let mut list = all();
    list.retain(|kept| kept.session != session);
    write(&list);
    withdraw_consent(session);
}

fn consent_key(session: SessionId) -> String {
    format!("mien.consent.{session}")
}

/// Whether the person in this tab has agreed to this recording.
pub(crate) fn consented(session: SessionId) -> bool {
    Memory::Tab.read(&consent_key(session)).unwrap_or(false)
}

pub(crate) fn consent(session: SessionId) {
    Memory::Tab.write(&consent_key(session), &true);
}

pub(crate) fn withdraw_consent(session: SessionId) {
    Memory::Tab.forget(&consent_key(session));
}

/// The pasted user token, for relays that want one.
pub(crate) fn user_token() -> Option<String> {
    Memory::Tab.read(USER_TOKEN_KEY)
}

pub(crate) fn keep_user_token(token: &str) {
    Memory::Tab.write(USER_TOKEN_KEY, &token);
}

/// The camera that this device recorded with last.
pub(crate) fn camera() -> Option<String> {
    Memory::Device.read(CAMERA_KEY)
}

pub(crate) fn keep_camera(id: &str) {
    Memory::Device.write(CAMERA_KEY, &id);
}

fn watch_key(session: SessionId) -> String {
    format!("mien.watch.{session}")
}

/// The token of a share link, for a reload of this tab.
pub(crate) fn watch_token(session: SessionId) -> Option<String> {
    Memory::Tab.read(&watch_key(session))
}

pub(crate) fn keep_watch_token(session: SessionId, token: &str) {
    Memory::Tab.write(&watch_key(session), &token);
}
