//! Which web pages may talk to the relay.
//!
//! A browser says in `Origin` which page a request comes from. Absent is fine: then no page of a stranger
//! is at work. Anything but the relay's own origin, or one that the configuration names, is foreign. Whoever runs the
//! relay learns from its log which one was refused, as it may be their own behind a proxy.

mod forwarded;
pub(super) mod guard;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::uri::{Authority, Uri};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use mien_shared::Code;

use crate::config::origin;
use crate::http::problem::ApiError;

pub use forwarded::naming_another_machine;

/// What a browser says of the page that a request comes from, where it need not say its origin.
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// What a browser sends where a person follows a link into a window, beside the user's own click (`?1`).
const VISIT: [(HeaderName, HeaderValue); 3] = [
    (HeaderName::from_static("sec-fetch-mode"), HeaderValue::from_static("navigate")),
    (HeaderName::from_static("sec-fetch-dest"), HeaderValue::from_static("document")),
    (HeaderName::from_static("sec-fetch-user"), HeaderValue::from_static("?1")),
];

/// Refusals are logged this often at most: anyone can send any number of them.
const LOG_PAUSE: Duration = Duration::from_secs(10);
/// Of a header's value in the log: longer than any name of a host (253).
const MAX_LOGGED_CHARS: usize = 300;

/// Whether a request with these headers comes from a page that may make it.
///
/// The relay's own origin is known by its host, port included: the scheme is not compared, since a proxy in
/// front may speak TLS for it.
pub fn is_allowed(headers: &HeaderMap, allowed: &[String]) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).into_iter();
    let Some(origin) = origins.next() else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    if origins.next().is_some() {
        return false;
    }
    if is_named(origin, allowed) {
        return true;
    }
    let Ok(uri) = origin.parse::<Uri>() else { return false };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    matches!(scheme, "http" | "https")
        && host.is_some_and(|host| same_authority(host, authority.as_str(), scheme))
}

/// Whether the configuration names this origin.
pub fn is_named(origin: &str, allowed: &[String]) -> bool {
    origin::normal(origin).is_ok_and(|origin| allowed.contains(&origin))
}

/// Whether a request to an open relay's interface is made by a page that may not make it, or by nobody's will.
///
/// Pictures, scripts and frames of any page reach any address of this machine, and carry no `Origin`. Their answers are
/// kept from the page; what they use up is not. So whatever comes from another site, also from another port of this
/// machine, must carry an `Origin` that is named, or be a link that a person has followed: that is one request a click.
pub fn is_of_another_site(headers: &HeaderMap, allowed: &[String]) -> bool {
    if headers.contains_key(header::ORIGIN) {
        return !is_allowed(headers, allowed);
    }
    let site = headers.get(SITE).map(HeaderValue::as_bytes);
    let is_visit = VISIT.iter().all(|(name, value)| headers.get(name) == Some(value));
    !matches!(site, None | Some(b"same-origin" | b"none")) && !is_visit
}

/// Whether a request reached an open relay under a name that can only be this machine's.
///
/// A stranger's page can give its own name the address 127.0.0.1 (DNS rebinding); to the browser the relay is
/// then that page's own origin. The `Host` field still says the stranger's name.
pub fn is_local_host(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    host.parse::<Authority>().is_ok_and(|authority| origin::is_loopback(authority.host()))
}

/// Refuses what is found here, and tells the log.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    last: Option<Instant>,
    /// Refusals since then.
    unsaid: u64,
}

impl Refusals {
    /// The answer to a page of a foreign origin.
    pub fn foreign_origin(&self, headers: &HeaderMap) -> ApiError {
        if let Some(unsaid) = self.may_tell(Instant::now()) {
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
    pub fn foreign_host(&self, headers: &HeaderMap) -> ApiError {
        if let Some(unsaid) = self.may_tell(Instant::now()) {
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

    /// The answer to a request that a proxy passed on to an open relay for someone elsewhere. The log tells in which
    /// field, and not for whom.
    pub fn forwarded(&self, field: &HeaderName) -> ApiError {
        if let Some(unsaid) = self.may_tell(Instant::now()) {
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
    pub fn of_another_site(&self, headers: &HeaderMap) -> ApiError {
        if let Some(unsaid) = self.may_tell(Instant::now()) {
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

    /// `Some` where the log may be told now, with the number of refusals that it was not told of.
    fn may_tell(&self, now: Instant) -> Option<u64> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.last.is_some_and(|last| now.saturating_duration_since(last) < LOG_PAUSE) {
            told.unsaid += 1;
            return None;
        }
        told.last = Some(now);
        Some(std::mem::take(&mut told.unsaid))
    }
}

/// A header's value for the log: escaped where it is no plain text, and cut.
fn shown(headers: &HeaderMap, name: &HeaderName) -> String {
    let Some(value) = headers.get(name) else { return "(none)".to_owned() };
    value.as_bytes().escape_ascii().map(char::from).take(MAX_LOGGED_CHARS).collect()
}

/// Equal but for case and the scheme's default port.
fn same_authority(host: &str, origin: &str, scheme: &str) -> bool {
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let bare = |text: &str| text.strip_suffix(default_port).unwrap_or(text).to_ascii_lowercase();
    bare(host) == bare(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_and_named_origins_alone_are_let_in() {
        let check = |origin: Option<&'static str>, host: &'static str, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            let allowed = ["https://embed.example".to_owned()];
            assert_eq!(is_allowed(&headers, &allowed), expected, "{origin:?} at {host}");
        };
        check(None, "mien.example", true);
        check(Some("https://mien.example"), "mien.example", true);
        check(Some("https://mien.example:443"), "mien.example", true);
        check(Some("http://127.0.0.1:8080"), "127.0.0.1:8080", true);
        check(Some("https://embed.example"), "mien.example", true);
        check(Some("null"), "mien.example", false);
        check(Some(""), "mien.example", false);
        check(Some("http://127.0.0.1:8081"), "127.0.0.1:8080", false);
        check(Some("https://mien.example.evil.example"), "mien.example", false);
        check(Some("https://evil.example"), "mien.example", false);
        check(Some("ftp://mien.example"), "mien.example", false);
    }

    #[test]
    fn the_log_is_not_flooded_and_knows_how_many_it_was_spared() {
        let refusals = Refusals::default();
        let start = Instant::now();
        assert_eq!(refusals.may_tell(start), Some(0));
        for millisecond in 0..1_000 {
            assert_eq!(refusals.may_tell(start + Duration::from_millis(millisecond)), None);
        }
        assert_eq!(refusals.may_tell(start + LOG_PAUSE), Some(1_000));
        assert_eq!(refusals.may_tell(start + 2 * LOG_PAUSE), Some(0));
    }

    #[test]
    fn what_the_log_shows_is_plain_and_short() {
        let mut headers = HeaderMap::new();
        assert_eq!(shown(&headers, &header::ORIGIN), "(none)");
        headers.insert(header::ORIGIN, header::HeaderValue::from_bytes(b"https://a\t\"\xff").unwrap());
        assert_eq!(shown(&headers, &header::ORIGIN), r#"https://a\t\"\xff"#);
        headers.insert(header::ORIGIN, "x".repeat(10_000).parse().unwrap());
        assert_eq!(shown(&headers, &header::ORIGIN).len(), MAX_LOGGED_CHARS);
    }

    #[test]
    fn an_open_relay_is_reached_by_local_names_alone() {
        let check = |host: &'static str, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            assert_eq!(is_local_host(&headers), expected, "{host}");
        };
        for own in
            ["127.0.0.1:8080", "localhost", "LOCALHOST:9", "[::1]:8080", "127.1.2.3", "app.localhost:3000"]
        {
            check(own, true);
        }
        for foreign in ["rebound.example:8080", "localhost.example", "10.0.0.1", "", "a b"] {
            check(foreign, false);
        }
        assert!(is_local_host(&HeaderMap::new()));
    }
}
