//! Requests that would become WebSockets, had nothing on their way taken out what asks for it: so do proxies that were
//! not told of WebSockets. Whoever runs the relay learns so from its log, as the page tells its visitors alone.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, header};
use mien_shared::Code;

use crate::http::problem::ApiError;

/// Anyone can send any number of them.
const LOG_PAUSE: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(crate) struct SpoiledUpgrades {
    told: Mutex<Option<Instant>>,
}

impl SpoiledUpgrades {
    /// Refuses a request that something on its way has spoiled.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        // Proxies take out what is for one hop, and leave the rest of a WebSocket's request.
        let would_be_one = headers.contains_key(header::SEC_WEBSOCKET_KEY);
        let Some(missing) = missing(headers).filter(|_| would_be_one) else { return Ok(()) };
        if self.may_tell(Instant::now()) {
            tracing::warn!(
                missing = missing.as_str(),
                "a request for a WebSocket came without what makes it one, so that neither recordings nor watchers can \
                 connect; a proxy in front must pass on the headers Upgrade and Connection"
            );
        }
        Err(ApiError::new(
            Code::Malformed,
            format!(
                "the header {missing} is missing: a proxy must pass on the headers Upgrade and Connection"
            ),
        ))
    }

    fn may_tell(&self, now: Instant) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let tells = told.is_none_or(|last| now.saturating_duration_since(last) >= LOG_PAUSE);
        if tells {
            *told = Some(now);
        }
        tells
    }
}

/// What of the two headers says nothing of an upgrade.
fn missing(headers: &HeaderMap) -> Option<HeaderName> {
    let names = |header: &HeaderName, word: &str| {
        let values = headers.get_all(header).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(word))
    };
    [(header::UPGRADE, "websocket"), (header::CONNECTION, "upgrade")]
        .into_iter()
        .find(|(header, word)| !names(header, word))
        .map(|(header, _)| header)
}
