//! The token of a recording, and when to ask for another. Pure.

use std::time::Duration;

use crate::clock::Steady;
use crate::token;

/// How long a page may take to get another token.
const ASK_AGAIN: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
struct Expiry {
    ask_at: Steady,
    end: Steady,
}

#[derive(Debug)]
pub(super) struct Credential {
    token: String,
    /// The present connection began with an older one.
    is_newer: bool,
    /// When the relay last told its clock, and what it said, Unix milliseconds.
    relay_time: Option<(Steady, u64)>,
    expiry: Option<Expiry>,
}

impl Credential {
    pub(super) fn new(token: String) -> Self {
        Self { token, is_newer: false, relay_time: None, expiry: None }
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// A connection begins with this token.
    pub(super) fn used(&mut self) {
        self.is_newer = false;
    }

    pub(super) fn is_newer(&self) -> bool {
        self.is_newer
    }

    /// Another token for the connections to come. The present one keeps its own for as long as the relay allows.
    pub(super) fn renew(&mut self, now: Steady, token: &str) {
        if self.token != token {
            token.clone_into(&mut self.token);
            self.is_newer = true;
            self.update_expiry(now);
        }
    }

    /// The token of a link that is resumed after its end.
    pub(super) fn replace(&mut self, token: &str) {
        token.clone_into(&mut self.token);
    }

    pub(super) fn set_relay_time(&mut self, now: Steady, server_time: u64) {
        self.relay_time = Some((now, server_time));
        self.update_expiry(now);
    }

    /// True if another token is to be asked for now: in time, and again, at ever shorter intervals, until there is one
    /// or this one has expired.
    pub(super) fn is_due(&mut self, now: Steady) -> bool {
        let Some(Expiry { ask_at, end }) = self.expiry.filter(|expiry| now >= expiry.ask_at) else {
            return false;
        };
        let again = ask_at.max(now) + (end.since(now) / 2).max(ASK_AGAIN);
        self.expiry = (now < end).then_some(Expiry { ask_at: again, end });
        true
    }

    /// By the relay's clock, as that is the one by which a token expires.
    fn update_expiry(&mut self, now: Steady) {
        self.expiry = None;
        let (Some((at, server_time)), Some(expires_ms)) = (self.relay_time, token::expires_ms(&self.token))
        else {
            return;
        };
        let relay_now = server_time + now.since(at).as_millis() as u64;
        let after = |ms: u64| now + Duration::from_millis(ms.saturating_sub(relay_now));
        let ask_at = after(token::renew_at_ms(relay_now, expires_ms));
        self.expiry = Some(Expiry { ask_at, end: after(expires_ms) });
    }
}
