//! Upgrade requests from which a proxy has stripped the headers that ask for the upgrade, as proxies do that are not
//! configured for WebSockets. Operators learn this from the log, as the page can only tell its visitors.

use axum::http::{HeaderMap, HeaderName, header};
use mien_shared::Code;

use crate::http::problem::ApiError;
use crate::observe::log_limit::LogLimit;

/// Refuses a request that lacks one of the headers.
pub(super) fn check(headers: &HeaderMap, log: &LogLimit) -> Result<(), ApiError> {
    // Proxies strip hop-by-hop headers, and leave the others of an upgrade.
    let is_upgrade = headers.contains_key(header::SEC_WEBSOCKET_KEY);
    let Some(missing) = missing(headers).filter(|_| is_upgrade) else { return Ok(()) };
    if log.allow().is_some() {
        tracing::warn!(
            missing = missing.as_str(),
            "a request for a WebSocket came without what makes it one, so that neither recordings nor watchers can \
             connect; a proxy in front must pass on the headers Upgrade and Connection"
        );
    }
    Err(ApiError::new(
        Code::Malformed,
        format!("the header {missing} is missing: a proxy must pass on the headers Upgrade and Connection"),
    ))
}

/// Which of the two headers does not ask for an upgrade.
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
