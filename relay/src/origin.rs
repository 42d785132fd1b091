//! Which web pages may talk to the relay.
//!
//! A browser says in `Origin` which page a request comes from. Absent is fine: then no page of a stranger
//! is at work. Anything but the relay's own origin, or one that the configuration names, is foreign.

use axum::http::{HeaderMap, header, uri::Uri};

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
}
