//! Asks the relay of this machine whether it is alive: a health check for containers that have no other program.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// An answer from memory over loopback takes a millisecond; a relay that takes longer than this is in trouble.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Whether the relay that listens on `listen` answers `/healthz` with 200.
pub(super) fn is_alive(listen: SocketAddr) -> io::Result<bool> {
    let address = reachable(listen);
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    // Sent in one piece: a peer that answers the first of several pieces and closes would reset the connection under
    // the others.
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    Ok(&status == b"HTTP/1.1 200")
}

/// The address to connect to if the relay listens on all addresses.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    match listen {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => listen.set_ip(Ipv4Addr::LOCALHOST.into()),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => listen.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    listen
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn only_a_good_answer_is_life() {
        for (answer, alive) in [
            ("HTTP/1.1 200 OK\r\n\r\n", Some(true)),
            ("HTTP/1.1 503 Service Unavailable\r\n\r\n", Some(false)),
            ("", None),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let server = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 512];
                let _ = stream.read(&mut request).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            });
            assert_eq!(is_alive(address).ok(), alive, "{answer:?}");
            server.join().unwrap();
            assert!(is_alive(address).is_err(), "nobody listens any more");
        }
    }

    #[test]
    fn one_who_listens_everywhere_is_asked_on_loopback() {
        assert_eq!(reachable("0.0.0.0:81".parse().unwrap()), "127.0.0.1:81".parse().unwrap());
        assert_eq!(reachable("[::]:81".parse().unwrap()), "[::1]:81".parse().unwrap());
        assert_eq!(reachable("10.0.0.7:81".parse().unwrap()), "10.0.0.7:81".parse().unwrap());
    }
}
