//! Ports for relays that are restarted in place.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range that the kernel uses for outgoing connections: a client might take a port from that range while its
/// relay is away.
const FIRST: u16 = 14_000;
const COUNT: u16 = 16_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// An address of this machine at which nobody listens. This process hands out each one only once.
pub fn free_address() -> SocketAddr {
    // Other runs on this machine start at a different offset.
    let offset = (std::process::id() % 157) as u16 * 101;
    for _ in 0..COUNT {
        let number = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(offset) % COUNT;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + number));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no port is free")
}
