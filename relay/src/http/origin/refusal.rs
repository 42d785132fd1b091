//! Refusals of foreign pages: an answer for the client, and at times a line in the log. Operators learn from the log which
//! origin was refused, as it may be their own behind a proxy.

use axum::http::{HeaderMap, HeaderName, header};
use mien_shared::Code;

use crate::http::problem::ApiError;
use crate::observe::log_limit::LogLimit;

/// Longer than any name of a host (253).
const MAX_LOGGED_CHARS: usize = 300;

/// The answer to a page of a foreign origin.
pub(crate) fn foreign_origin(log: &LogLimit, headers: &HeaderMap) -> ApiError {
    if let Some(unsaid) = log.allow() {
        tracing::info!(
            origin = shown(headers, &header::ORIGIN),
            host = shown(headers, &header::HOST),
            unsaid,
            "a page of another origin was refused; if it is the relay's own page behind a proxy, have the proxy \
             pass on Host with its port, or name the origin in MIEN_ALLOWED_ORIGINS"
        );
    }
    ApiError::new(
        Code::ForeignOrigin,
        "the page is not of the address at which the relay was asked; the relay's log says what to set",
    )
}

/// The answer to a request that reached an open relay under a name that anyone may have.
pub(super) fn foreign_host(log: &LogLimit, headers: &HeaderMap) -> ApiError {
    if let Some(unsaid) = log.allow() {
        tracing::info!(
            host = shown(headers, &header::HOST),
            unsaid,
            "a request under a name that is not this machine's was refused, as the relay is open to everyone; set \
             MIEN_AUTH=token and MIEN_TOKEN_SECRET"
        );
    }
    ApiError::new(
        Code::ForeignOrigin,
        "an open relay answers to local names alone; with MIEN_AUTH=token it answers to any",
    )
}

/// The answer to a request that a proxy passed on to an open relay for someone elsewhere. The log has the
/// field, and not its value.
pub(super) fn forwarded(log: &LogLimit, field: &HeaderName) -> ApiError {
    if let Some(unsaid) = log.allow() {
        tracing::info!(
            %field,
            unsaid,
            "a request that came through a proxy was refused, as the relay is open to everyone; set MIEN_AUTH=token \
             and MIEN_TOKEN_SECRET"
        );
    }
    ApiError::new(
        Code::ForeignOrigin,
        format!(
            "an open relay answers to its own machine alone, and {field} names another; with MIEN_AUTH=token the \
             relay may stand behind a proxy"
        ),
    )
}

/// The answer to a request to an open relay that a page of another site has made, which the browser does not name.
pub(super) fn other_site(log: &LogLimit, headers: &HeaderMap) -> ApiError {
    if let Some(unsaid) = log.allow() {
        tracing::info!(
            host = shown(headers, &header::HOST),
            unsaid,
            "a page of another site was refused, as the relay is open to everyone; if it is yours, name its origin in \
             MIEN_ALLOWED_ORIGINS, and have it ask with CORS, so that its browser sends that"
        );
    }
    ApiError::new(
        Code::ForeignOrigin,
        "a page of another site asked an open relay, which answers to its own page and to those that \
         MIEN_ALLOWED_ORIGINS names",
    )
}

/// A header's value for the log: escaped where it is not plain text, and truncated.
fn shown(headers: &HeaderMap, name: &HeaderName) -> String {
    let Some(value) = headers.get(name) else { return "(none)".to_owned() };
    value.as_bytes().escape_ascii().map(char::from).take(MAX_LOGGED_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_log_shows_is_plain_and_short() {
        let mut headers = HeaderMap::new();
        assert_eq!(shown(&headers, &header::ORIGIN), "(none)");
        headers.insert(header::ORIGIN, header::HeaderValue::from_bytes(b"https://a\t\"\xff").unwrap());
        assert_eq!(shown(&headers, &header::ORIGIN), r#"https://a\t\"\xff"#);
        headers.insert(header::ORIGIN, "x".repeat(10_000).parse().unwrap());
        assert_eq!(shown(&headers, &header::ORIGIN).len(), MAX_LOGGED_CHARS);
    }
}
