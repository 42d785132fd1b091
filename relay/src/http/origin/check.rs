//! Which web pages may talk to the relay.
//!
//! A browser says in `Origin` which page a request comes from. Without one no other page is involved. Anything but the
//! relay's own origin, or one that the configuration names, is foreign.

use axum::http::uri::{Authority, Uri};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::config::origin;

/// How the page of a request relates to its target, where a browser need not send `Origin`.
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// What a browser sends when a person follows a link, beside the user's own click (`?1`).
const VISIT: [(HeaderName, HeaderValue); 3] = [
    (HeaderName::from_static("sec-fetch-mode"), HeaderValue::from_static("navigate")),
    (HeaderName::from_static("sec-fetch-dest"), HeaderValue::from_static("document")),
    (HeaderName::from_static("sec-fetch-user"), HeaderValue::from_static("?1")),
];

/// Whether a request with these headers comes from a page that may make it.
///
/// The relay's own origin is known by its host, port included: the scheme is not compared, since a proxy in
/// front may speak TLS for it.
pub(crate) fn is_allowed(headers: &HeaderMap, allowed: &[String]) -> bool {
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
pub(super) fn is_named(origin: &str, allowed: &[String]) -> bool {
    origin::normal(origin).is_ok_and(|origin| allowed.contains(&origin))
}

/// Whether a page made a request to an open relay's interface that it may not make, or that no person asked for.
///
/// Pictures, scripts and frames of any page reach any address of this machine, and carry no `Origin`. The page does not
/// see their answers, but they use up resources. So whatever comes from another site, also from another port of this
/// machine, must carry an `Origin` that is named, or be a link that a person has followed: one request a click.
pub(super) fn is_of_another_site(headers: &HeaderMap, allowed: &[String]) -> bool {
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
pub(super) fn is_local_host(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    host.parse::<Authority>().is_ok_and(|authority| origin::is_loopback(authority.host()))
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
