//! What this device remembers of its recordings, so that a reload goes on where it was.
//!
//! Capability tokens of own sessions, each of which opens one session and expires by itself, and markers on their
//! way. The samples are kept by the engine's outbox, not here.

use mien_engine::api::{ApiFault, Relay};
use mien_engine::{SessionAccess, page_base, sockets_base, token, wall_now};
use mien_shared::api::{CreateMarker, Role, SessionCreated, SessionTokens, TokenRequest};
use mien_shared::{Code, SessionId, SourceName};
use serde::{Deserialize, Serialize};

use crate::browser::Memory;
use crate::model::recordings::merged;

const INDEX_KEY: &str = "mien.sessions";
const USER_TOKEN_KEY: &str = "mien.user_token";
const ERASED_KEY: &str = "mien.erased";
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
    /// When the tokens were got, Unix milliseconds; 0 where that was with the session.
    #[serde(default)]
    pub got_ms: u64,
}

impl Kept {
    pub(crate) fn of(created: &SessionCreated) -> Self {
        Self {
            session: created.session.id,
            title: created.session.title.clone(),
            started_ms: u64::try_from(created.session.started_at.as_millisecond()).unwrap_or(0),
            tokens: created.tokens.clone(),
            got_ms: 0,
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

    /// The address for watchers. The token stands behind the `#`, which browsers never send.
    pub(crate) fn share_link(&self) -> String {
        format!("{}/watch/{}#{}", page_base(), self.session, self.tokens.watch)
    }

    /// Whether it is time for new tokens, by this device's clock. One that is off is bettered by the relay, which
    /// refuses a token that is over.
    pub(crate) fn is_ageing(&self) -> bool {
        let since_ms = self.started_ms.max(self.got_ms);
        let expires_ms = token::expires_ms(&self.tokens.owner);
        expires_ms.is_some_and(|expires_ms| wall_now().0 >= token::renew_at_ms(since_ms, expires_ms))
    }

    /// Whether the owner's token is over, by this device's clock.
    pub(crate) fn is_over(&self) -> bool {
        token::expires_ms(&self.tokens.owner).is_none_or(|expires_ms| wall_now().0 >= expires_ms)
    }

    /// The title, or words in its place.
    pub(crate) fn name(&self) -> String {
        if self.title.trim().is_empty() { "Untitled session".to_owned() } else { self.title.clone() }
    }
}

/// The oldest first.
fn all() -> Vec<Kept> {
    let list = |memory: Memory| memory.read::<Vec<Kept>>(INDEX_KEY).unwrap_or_default();
    merged(list(Memory::Device), list(Memory::Tab), |kept| kept.session)
}

/// Where the device has no room, the tab has the newer list.
fn write(list: &Vec<Kept>) {
    if Memory::Device.write(INDEX_KEY, list) {
        Memory::Tab.forget(INDEX_KEY);
    } else {
        Memory::Tab.write(INDEX_KEY, list);
    }
}

/// Recordings of this device, the newest first.
pub(crate) fn list() -> Vec<Kept> {
    let mut list = all();
    list.sort_by_key(|kept| std::cmp::Reverse(kept.started_ms));
    list
}

pub(crate) fn find(session: SessionId) -> Option<Kept> {
    all().into_iter().find(|kept| kept.session == session)
}

pub(crate) fn remember(kept: Kept) {
    let mut list = all();
    list.retain(|other| other.session != kept.session);
    list.push(kept);
    if list.len() > MOST {
        let too_old = list.drain(..list.len() - MOST);
        too_old.for_each(|old| Memory::Device.forget(&sent_key(old.session)));
    }
    write(&list);
}

pub(crate) fn forget(session: SessionId) {
    let mut list = all();
    list.retain(|kept| kept.session != session);
    write(&list);
    keep_unsent_markers(session, &Vec::new());
    Memory::Device.forget(&sent_key(session));
    withdraw_consent(session);
}

/// Forgets a session that is no more, but for this.
pub(crate) fn forget_erased(session: SessionId) {
    forget(session);
    let mut list = erased_sessions();
    list.retain(|other| *other != session);
    list.push(session);
    if list.len() > MOST {
        list.drain(..list.len() - MOST);
    }
    Memory::Device.write(ERASED_KEY, &list);
}

/// Whether this device knows that the session was erased.
pub(crate) fn erased(session: SessionId) -> bool {
    erased_sessions().contains(&session)
}

fn erased_sessions() -> Vec<SessionId> {
    Memory::Device.read(ERASED_KEY).unwrap_or_default()
}

/// New tokens for a session whose own have expired, and who may ask for them: its owner token, the user who signed
/// in in this tab, or anybody where the relay is open. `None` where the relay says no to all, or cannot be asked.
pub(crate) async fn renew(session: SessionId) -> Option<SessionTokens> {
    let known = find(session);
    let owner = known.as_ref().map(|kept| kept.tokens.owner.clone());
    for asker in [owner, user_token()].into_iter().flatten().map(Some).chain([None]) {
        let owner = match grant(session, asker, Role::Owner).await {
            Ok(owner) => owner,
            Err(fault) if matches!(fault.code(), Some(Code::Unauthorized | Code::Forbidden)) => continue,
            Err(_) => return None,
        };
        // A completed session gives no token to send with, and needs none.
        let ingest = grant(session, Some(owner.clone()), Role::Ingest).await.ok();
        let watch = grant(session, Some(owner.clone()), Role::Watch).await.ok();
        let Some(kept) = known else {
            return Some(SessionTokens { owner, ingest: ingest?, watch: watch? });
        };
        let tokens = SessionTokens {
            owner,
            ingest: ingest.unwrap_or_else(|| kept.tokens.ingest.clone()),
            watch: watch.unwrap_or_else(|| kept.tokens.watch.clone()),
        };
        remember(Kept { tokens: tokens.clone(), got_ms: wall_now().0, ..kept });
        return Some(tokens);
    }
    None
}

/// A new token to watch with, where this device may ask for one: nobody else can renew a share link.
pub(crate) async fn renew_watch(session: SessionId) -> Option<String> {
    let owner = find(session).map(|kept| kept.tokens.owner);
    for asker in [owner, user_token()].into_iter().flatten() {
        if let Ok(token) = grant(session, Some(asker), Role::Watch).await {
            keep_watch_token(session, &token);
            return Some(token);
        }
    }
    None
}

async fn grant(session: SessionId, asker: Option<String>, role: Role) -> Result<String, ApiFault> {
    let request = TokenRequest { role, source: None, ttl_s: None };
    let granted = Relay::new(page_base(), asker).create_token(session, &request).await?;
    Ok(granted.token)
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
    Memory::Tab.forget(&paused_key(session));
}

fn paused_key(session: SessionId) -> String {
    format!("mien.paused.{session}")
}

/// Whether the person in this tab has paused this recording.
pub(crate) fn paused(session: SessionId) -> bool {
    Memory::Tab.read(&paused_key(session)).unwrap_or(false)
}

pub(crate) fn keep_paused(session: SessionId, paused: bool) {
    Memory::Tab.write(&paused_key(session), &paused);
}

fn markers_key(session: SessionId) -> String {
    format!("mien.markers.{session}")
}

/// Markers of this recording that the relay may not have yet.
pub(crate) fn unsent_markers(session: SessionId) -> Vec<CreateMarker> {
    Memory::Device.read(&markers_key(session)).unwrap_or_default()
}

pub(crate) fn keep_unsent_markers(session: SessionId, markers: &Vec<CreateMarker>) {
    if markers.is_empty() {
        Memory::Device.forget(&markers_key(session));
    } else {
        Memory::Device.write(&markers_key(session), markers);
    }
}

fn sent_key(session: SessionId) -> String {
    format!("mien.sent.{session}")
}

/// Bytes that this device has sent for this recording.
pub(crate) fn sent(session: SessionId) -> u64 {
    Memory::Device.read(&sent_key(session)).unwrap_or(0)
}

/// It never falls: another tab may have sent more meanwhile.
pub(crate) fn keep_sent(session: SessionId, bytes: u64) {
    if bytes > sent(session) {
        Memory::Device.write(&sent_key(session), &bytes);
    }
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
