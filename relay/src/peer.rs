//! Whose connection it is: the address of the peer, or what proxies of ours say of it.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address that a request came from. Where the peer is a proxy that is trusted, this is the right-most address of
/// `X-Forwarded-For` that is no such proxy: each proxy adds the address it saw to the right, and what stands further
/// left is whatever the client wrote.
pub fn address(peer: SocketAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_proxy = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let mut seen = peer.ip().to_canonical();
    if !is_proxy(seen) {
        return seen;
    }
    // Several headers of this name are one list, in their order.
    let lists: Vec<&str> =
        headers.get_all(FORWARDED_FOR).iter().map(|list| list.to_str().unwrap_or_default()).collect();
    for text in lists.iter().rev().flat_map(|list| list.rsplit(',')) {
        // What cannot be read was not written by a proxy that is worth its trust: the last one known counts.
        let Some(address) = read(text) else { break };
        seen = address;
        if !is_proxy(address) {
            break;
        }
    }
    seen
}

/// An address as proxies write it: some add the port, and IPv6 stands in brackets then.
fn read(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text
        .parse()
        .or_else(|_| text.parse().map(|address: SocketAddr| address.ip()))
        .or_else(|_| text.trim_start_matches('[').trim_end_matches(']').parse());
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let headers = forwarded.iter().map(|list| (FORWARDED_FOR, list.parse().unwrap())).collect();
        let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn a_stranger_says_nothing_of_itself() {
        assert_eq!(seen("203.0.113.7:5", &["10.1.1.1"], &[]), "203.0.113.7");
        assert_eq!(seen("203.0.113.7:5", &["10.1.1.1"], &["127.0.0.1/32"]), "203.0.113.7");
        assert_eq!(seen("[::ffff:203.0.113.7]:5", &[], &[]), "203.0.113.7", "one address has one form");
    }

    #[test]
    fn of_a_proxys_list_the_last_stranger_counts() {
        let trusted = ["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"];
        for (forwarded, expected) in [
            (&["203.0.113.7"][..], "203.0.113.7"),
            (&["1.1.1.1, 203.0.113.7"], "203.0.113.7"),
            (&["1.1.1.1", "203.0.113.7, 10.0.0.2"], "203.0.113.7"),
            (&["evil, 203.0.113.7,10.0.0.2 , 10.0.0.3"], "203.0.113.7"),
            (&["203.0.113.7:4711"], "203.0.113.7"),
            (&["2001:db8::1"], "2001:db8::1"),
            (&["[2001:db8::1]:4711"], "2001:db8::1"),
            (&["[2001:db8::1]"], "2001:db8::1"),
            (&["::ffff:203.0.113.7"], "203.0.113.7"),
            (&["10.0.0.9"], "10.0.0.9"),
            (&["1.1.1.1, unknown"], "127.0.0.1"),
            (&["1.1.1.1, unknown, 10.0.0.2"], "10.0.0.2"),
            (&[""], "127.0.0.1"),
            (&[], "127.0.0.1"),
        ] {
            assert_eq!(seen("127.0.0.1:5", forwarded, &trusted), expected, "{forwarded:?}");
        }
        assert_eq!(seen("[fd00::5]:5", &["2001:db8::1"], &trusted), "2001:db8::1");
    }
}
