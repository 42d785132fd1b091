//! Origins in the one form in which browsers write them, so that two can be compared as text; and which hosts can only
//! be this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why a text is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadOrigin {
    #[error("an origin is a scheme, a host and perhaps a port; write for example https://example.org")]
    Shape,
    #[error("browsers send the host in ASCII; write it as they do, with xn-- in place of other letters")]
    NotAscii,
}

/// Scheme and host in lower case, and the port where it is not the scheme's own.
pub fn normal(text: &str) -> Result<String, BadOrigin> {
    if !text.is_ascii() {
        return Err(BadOrigin::NotAscii);
    }
    let parts = || {
        let (scheme, authority) = text.split_once("://")?;
        let scheme = Some(scheme.to_ascii_lowercase()).filter(|scheme| is_scheme(scheme))?;
        let (host, port) = split_port(authority)?;
        let host = normal_host(host)?;
        Some(match port.filter(|&port| Some(port) != default_port(&scheme)) {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        })
    };
    parts().ok_or(BadOrigin::Shape)
}

/// Whether an origin in normal form can only be this machine.
pub fn is_of_loopback(origin: &str) -> bool {
    let host = origin.split_once("://").and_then(|(_, authority)| split_port(authority));
    host.is_some_and(|(host, _)| is_loopback(host))
}

/// Whether this host, with or without the brackets of an IPv6 address, can only be this machine: names below
/// `localhost` cannot be registered (RFC 6761).
pub fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return address.to_canonical().is_loopback();
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

/// Brackets stay with the host. A colon without a port is ignored.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let end = match authority.strip_prefix('[') {
        Some(inner) => inner.find(']')? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at(end);
    let port = match rest.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => digits,
        None if rest.is_empty() => rest,
        _ => return None,
    };
    if port.is_empty() { Some((host, None)) } else { Some((host, Some(port.parse().ok()?))) }
}

fn normal_host(host: &str) -> Option<String> {
    if let Some(inner) = host.strip_prefix('[') {
        let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        // Rust writes the last two groups as an IPv4 address, browsers never do.
        return Some(match address.to_ipv4_mapped().map(|inner| inner.octets()) {
            Some([a, b, c, d]) => {
                format!("[::ffff:{:x}:{:x}]", u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
            }
            None => format!("[{address}]"),
        });
    }
    let plain = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let name = host.strip_suffix('.').unwrap_or(host);
    if !name.split('.').all(plain) {
        return None;
    }
    // Browsers parse such a name as an address, however it is written, and send it only in this form.
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number =
        last.bytes().all(|byte| byte.is_ascii_digit()) || last.to_ascii_lowercase().starts_with("0x");
    if is_number && name.parse::<Ipv4Addr>().is_err() {
        return None;
    }
    Some(host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        for (said, meant) in [
            ("https://example.org", "https://example.org"),
            ("HTTPS://Example.ORG", "https://example.org"),
            ("https://x:443", "https://x"),
            ("http://x:80", "http://x"),
            ("http://x:443", "http://x:443"),
            ("https://x:0443", "https://x"),
            ("https://x:", "https://x"),
            ("http://127.0.0.1:8081", "http://127.0.0.1:8081"),
            ("http://[::1]:80", "http://[::1]"),
            ("http://[0:0:0:0:0:0:0:1]:8081", "http://[::1]:8081"),
            ("http://[::FFFF:127.0.0.1]", "http://[::ffff:7f00:1]"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
            ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
        ] {
            assert_eq!(normal(said).as_deref(), Ok(meant), "{said}");
        }
        assert_eq!(normal("https://bücher.example"), Err(BadOrigin::NotAscii));
        for bad in [
            "",
            "null",
            "*",
            "example.org",
            "https://",
            "://x",
            "https://*.example.org",
            "https://example.org/",
            "https://example.org/page",
            "https://user@example.org",
            "https://a b",
            "https://x:99999",
            "https://x:y",
            "https://a..b",
            "https://[::1",
            "https://[::1]x",
            "https://::1",
            "http://127.1",
            "http://0x7f.1",
            "http://127.0.0.0x1",
            "https://x?y",
        ] {
            assert_eq!(normal(bad), Err(BadOrigin::Shape), "{bad}");
        }
    }

    #[test]
    fn what_can_only_be_this_machine() {
        for own in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "app.localhost",
            "127.0.0.1",
            "127.9.8.7",
            "::1",
            "[::1]",
        ] {
            assert!(is_loopback(own), "{own}");
        }
        assert!(is_loopback("::ffff:127.0.0.1"));
        for foreign in [
            "",
            "localhost.example",
            "notlocalhost",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
            "127.0.0.1.example",
            "unknown",
        ] {
            assert!(!is_loopback(foreign), "{foreign}");
        }
        assert!(is_of_loopback("http://[::1]:81") && is_of_loopback("http://localhost:3000"));
        assert!(!is_of_loopback("https://mien.example") && !is_of_loopback("http://192.168.0.2"));
    }
}
