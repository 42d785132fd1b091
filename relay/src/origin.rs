//! Which web pages may talk to the relay.
//!
//! A browser says in `Origin` which page a request comes from. Absent is fine: then no page of a stranger
//! is at work. Anything but the relay's own origin, or one that the configuration names, is foreign.

use std::net::IpAddr;

use axum::http::uri::{Authority, Uri};
use axum::http::{HeaderMap, header};

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
    if allowed.iter().any(|one| one.eq_ignore_ascii_case(origin)) {
        return true;
    }
    let Ok(uri) = origin.parse::<Uri>() else { return false };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    matches!(scheme, "http" | "https")
        && host.is_some_and(|host| same_authority(host, authority.as_str(), scheme))
}

/// Whether a request reached an open relay under a name that can only be this machine, or one that the
/// configuration names.
///
/// A stranger's page can give its own name the address 127.0.0.1 (DNS rebinding); to the browser the relay is
/// then that page's own origin. The `Host` field still says the stranger's name.
pub fn is_local_host(headers: &HeaderMap, allowed: &[String]) -> bool {
    let Some(host) = headers.get(header::HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    let address = name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
    let named = |origin: &String| {
        origin.split_once("://").is_some_and(|(scheme, authority)| same_authority(host, authority, scheme))
    };
    address || name.eq_ignore_ascii_case("localhost") || allowed.iter().any(named)
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
            let allowed = ["https://mien.example".to_owned()];
            assert_eq!(is_local_host(&headers, &allowed), expected, "{host}");
        };
        for own in
            ["127.0.0.1:8080", "localhost", "LOCALHOST:9", "[::1]:8080", "127.1.2.3", "mien.example:443"]
        {
            check(own, true);
        }
        for foreign in ["rebound.example:8080", "localhost.example", "10.0.0.1", "", "a b"] {
            check(foreign, false);
        }
        assert!(is_local_host(&HeaderMap::new(), &[]));
    }
}
