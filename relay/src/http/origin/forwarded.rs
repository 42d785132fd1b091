//! What a proxy says of a request that it forwards: whether it came from, or was meant for, another machine.
//!
//! Anyone can send these fields, so they prove nothing; but when a proxy says that a request is from elsewhere, it is
//! believed. So is a field that cannot be read.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::config::origin::is_loopback;

/// Of RFC 7239.
const FORWARDED: &str = "forwarded";
/// The older fields, each with an address or a host, or a list of them.
const OLDER: &str = "x-forwarded-";
/// Those of the older ones that never hold an address.
const WITHOUT_ADDRESS: [&str; 9] =
    ["port", "prefix", "proto", "protocol", "scheme", "ssl", "path", "uri", "method"];
/// What some proxies say instead.
const OTHERS: [&str; 8] = [
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-forwarded-for",
    "x-original-host",
    "true-client-ip",
    "cf-connecting-ip",
    "fastly-client-ip",
];

/// The field that names another machine, if there is one.
pub(super) fn naming_another_machine(headers: &HeaderMap) -> Option<&HeaderName> {
    headers.iter().find(|(name, value)| !is_of_this_machine(name, value)).map(|(name, _)| name)
}

fn is_of_this_machine(name: &HeaderName, value: &HeaderValue) -> bool {
    let name = name.as_str();
    let older = name.strip_prefix(OLDER).is_some_and(|rest| !WITHOUT_ADDRESS.contains(&rest));
    if name == FORWARDED {
        value.to_str().is_ok_and(elements_are_of_this_machine)
    } else if older || OTHERS.contains(&name) {
        value.to_str().ok().and_then(|value| split(value, &[','])).is_some_and(|nodes| {
            // An empty one names nobody.
            nodes.iter().filter(|node| !node.is_empty()).all(|node| is_node_of_this_machine(node))
        })
    } else {
        true
    }
}

/// `for=192.0.2.60;proto=http;by=203.0.113.43, for="[2001:db8::1]:4711"`. Which element is whose does not matter.
fn elements_are_of_this_machine(value: &str) -> bool {
    let Some(pairs) = split(value, &[',', ';']) else { return false };
    pairs.iter().filter(|pair| !pair.is_empty()).all(|pair| match pair.split_once('=') {
        Some((name, node)) => match name.trim().to_ascii_lowercase().as_str() {
            "for" | "by" | "host" => is_node_of_this_machine(node.trim()),
            _ => true,
        },
        None => false,
    })
}

/// An address or a name with or without a port. `unknown`, and what a proxy made up to hide an address (`_gateway`), are
/// anyone's.
fn is_node_of_this_machine(node: &str) -> bool {
    // An IPv6 address without brackets has no port.
    if node.matches(':').count() > 1 && !node.starts_with('[') {
        return is_loopback(node);
    }
    let (host, port) = match node.find(']') {
        Some(end) => node.split_at(end + 1),
        None => node.split_at(node.find(':').unwrap_or(node.len())),
    };
    let is_port =
        |port: &str| port.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)) && is_loopback(host)
}

/// Splits at separators outside quotes, and removes the quotes. `None` if a quote is left open.
fn split(text: &str, separators: &[char]) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.chars();
    while let Some(next) = chars.next() {
        match next {
            '"' => quoted = !quoted,
            '\\' if quoted => parts.last_mut()?.push(chars.next()?),
            next if !quoted && separators.contains(&next) => parts.push(String::new()),
            next => parts.last_mut()?.push(next),
        }
    }
    (!quoted).then(|| parts.iter().map(|part| part.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(name: &'static str, value: &[u8], own: bool) {
        let value = HeaderValue::from_bytes(value).unwrap();
        let headers = [(HeaderName::from_static(name), value)].into_iter().collect();
        let said = naming_another_machine(&headers).map(HeaderName::as_str);
        assert_eq!(said, (!own).then_some(name), "{headers:?}");
    }

    #[test]
    fn what_a_proxy_of_this_machine_says_of_this_machine() {
        // Trunk 0.21.14, for a page at 127.0.0.1:8081.
        check("x-forwarded-host", b"127.0.0.1:8081", true);
        check("x-forwarded-proto", b"http", true);
        for for_own in
            ["127.0.0.1", "::1", "::ffff:127.0.0.1", "[::1]:4711", "127.0.0.1:80, 127.0.0.2,::1", ""]
        {
            check("x-forwarded-for", for_own.as_bytes(), true);
        }
        check("x-forwarded-server", b"localhost", true);
        check("x-real-ip", b"127.0.0.1", true);
        for without_address in
            ["x-forwarded-port", "x-forwarded-prefix", "x-forwarded-ssl", "x-forwarded-proto"]
        {
            check(without_address, b"8443, anything", true);
        }
        for elements in [
            "for=127.0.0.1",
            "For=\"[::1]:1234\";proto=https;BY=127.0.0.1",
            "for=\"127.0.0.1:_port\", for=localhost;host=\"localhost:8081\"",
            "proto=https",
            "proto=https;secret=\"1.2.3.4, for=10.0.0.1\"",
            "for=127.0.0.1;",
            "",
        ] {
            check("forwarded", elements.as_bytes(), true);
        }
        check("x-request-id", b"10.0.0.1", true);
    }

    #[test]
    fn what_names_another_machine_or_cannot_be_read() {
        for name in
            ["x-forwarded-for", "x-forwarded-host", "x-forwarded-server", "x-real-ip", "cf-connecting-ip"]
        {
            for node in [
                "203.0.113.7",
                "203.0.113.7:80",
                "mien.example",
                "2001:db8::1",
                "[2001:db8::1]:80",
                "unknown",
            ] {
                check(name, node.as_bytes(), false);
            }
            check(name, b"127.0.0.1, 203.0.113.7", false);
            check(name, b"127.0.0.1 203.0.113.7", false);
            check(name, b"\"127.0.0.1", false);
            check(name, b"127.0.0.1\xff", false);
            check(name, b"127.0.0.1:80:203.0.113.7", false);
            check(name, b"[::1]203.0.113.7", false);
        }
        for elements in [
            "for=203.0.113.7",
            "for=127.0.0.1, for=203.0.113.7",
            "for=127.0.0.1;by=203.0.113.43",
            "for=127.0.0.1;host=mien.example",
            "for=_hidden",
            "for=unknown",
            "for=\"\"",
            "for",
            "for=\"[2001:db8::1]:4711\"",
            "for=\"127.0.0.1",
            "proto=https,FOR = 203.0.113.7",
        ] {
            check("forwarded", elements.as_bytes(), false);
        }
    }

    #[test]
    fn one_of_several_lines_is_enough() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", HeaderValue::from_static("127.0.0.1"));
        assert_eq!(naming_another_machine(&headers), None);
        headers.append("x-forwarded-for", HeaderValue::from_static("203.0.113.7"));
        assert_eq!(naming_another_machine(&headers).map(HeaderName::as_str), Some("x-forwarded-for"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                for name in [FORWARDED, "x-forwarded-for"] {
                    let _ = is_of_this_machine(&HeaderName::from_static(name), &value);
                }
            }
        }
    }
}
