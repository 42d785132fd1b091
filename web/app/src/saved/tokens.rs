//! Tokens of this tab and device, and new ones for those that expire.

use std::time::Duration;

use leptos::prelude::*;
use mien_engine::api::{ApiFault, Relay};
use mien_engine::{Steady, page_base, steady_now, wall_now};
use mien_shared::api::{Role, SessionTokens, TokenRequest};
use mien_shared::{Code, SessionId};

use super::recordings::{SavedRecording, find, save};
use crate::browser::WebStorage;

const USER_TOKEN_KEY: &str = "mien.user_token";
/// If a token is refused this soon after it was issued, another one will not help.
const RENEW_AGAIN: Duration = Duration::from_mins(1);

/// Keeps a page from renewing refused tokens over and over; a copy is a handle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RenewalLimit(StoredValue<Renewals>);

#[derive(Clone, Copy, Debug, Default)]
struct Renewals {
    /// When refused tokens were renewed last.
    last: Option<Steady>,
    /// Whether new tokens are being fetched before the present ones expire.
    is_ahead: bool,
}

impl RenewalLimit {
    pub(crate) fn new() -> Self {
        Self(StoredValue::new(Renewals::default()))
    }

    pub(crate) fn may_renew(self) -> bool {
        self.0.get_value().last.is_none_or(|before| steady_now().since(before) >= RENEW_AGAIN)
    }

    /// Tokens are being renewed now.
    pub(crate) fn note(self) {
        self.0.update_value(|renewals| renewals.last = Some(steady_now()));
    }

    /// New tokens are to be fetched before the present ones expire. False if they are being fetched already.
    pub(crate) fn begin_ahead(self) -> bool {
        let was_ahead = self.0.try_update_value(|renewals| std::mem::replace(&mut renewals.is_ahead, true));
        was_ahead == Some(false)
    }

    pub(crate) fn end_ahead(self) {
        self.0.update_value(|renewals| renewals.is_ahead = false);
    }
}

/// New tokens for a session whose own have expired. They are requested with its owner token, then as the user who
/// signed in in this tab, then without a token, which an open relay allows. `None` where the relay refuses all of
/// these, or cannot be asked.
pub(crate) async fn renew(session: SessionId) -> Option<SessionTokens> {
    let known = find(session);
    let owner = known.as_ref().map(|recording| recording.tokens.owner.clone());
    for bearer in [owner, user_token()].into_iter().flatten().map(Some).chain([None]) {
        let owner = match request_token(session, bearer, Role::Owner).await {
            Ok(owner) => owner,
            Err(fault) if matches!(fault.code(), Some(Code::Unauthorized | Code::Forbidden)) => continue,
            Err(_) => return None,
        };
        // A completed session issues no token to send with, and needs none.
        let ingest = request_token(session, Some(owner.clone()), Role::Ingest).await.ok();
        let watch = request_token(session, Some(owner.clone()), Role::Watch).await.ok();
        let Some(recording) = known else {
            return Some(SessionTokens { owner, ingest: ingest?, watch: watch? });
        };
        let tokens = SessionTokens {
            owner,
            ingest: ingest.unwrap_or_else(|| recording.tokens.ingest.clone()),
            watch: watch.unwrap_or_else(|| recording.tokens.watch.clone()),
        };
        save(SavedRecording { tokens: tokens.clone(), renewed_ms: wall_now().0, ..recording });
        return Some(tokens);
    }
    None
}

/// A new token to watch with, if this device may request one: nobody else can renew a share link.
pub(crate) async fn renew_watch_token(session: SessionId) -> Option<String> {
    let owner = find(session).map(|recording| recording.tokens.owner);
    for bearer in [owner, user_token()].into_iter().flatten() {
        if let Ok(token) = request_token(session, Some(bearer), Role::Watch).await {
            save_watch_token(session, &token);
            return Some(token);
        }
    }
    None
}

async fn request_token(session: SessionId, bearer: Option<String>, role: Role) -> Result<String, ApiFault> {
    let request = TokenRequest { role, source: None, ttl_s: None };
    let granted = Relay::new(page_base(), bearer).create_token(session, &request).await?;
    Ok(granted.token)
}

/// The user token that was pasted in this tab, for relays that require one.
pub(crate) fn user_token() -> Option<String> {
    WebStorage::Tab.read(USER_TOKEN_KEY)
}

pub(crate) fn save_user_token(token: &str) {
    WebStorage::Tab.write(USER_TOKEN_KEY, &token);
}

fn watch_key(session: SessionId) -> String {
    format!("mien.watch.{session}")
}

/// The token of a share link, for a reload of this tab.
pub(crate) fn watch_token(session: SessionId) -> Option<String> {
    WebStorage::Tab.read(&watch_key(session))
}

pub(crate) fn save_watch_token(session: SessionId, token: &str) {
    WebStorage::Tab.write(&watch_key(session), &token);
}
