//! Ports for relays that are started again where they were.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below those that the kernel gives to connections going out: a port of those may be taken by a client while
/// its relay is away.
const FIRST: u16 = 14_000;
const COUNT: u16 = 16_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// An address of this machine at which nobody listens. Each is given out once by this process.
pub fn free_address() -> SocketAddr {
    // Other runs on this machine begin elsewhere.
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
