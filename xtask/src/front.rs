//! One address for two servers while developing: the API goes to the relay, all else to `trunk serve`.
//!
//! Trunk has a proxy of its own, but it answers a WebSocket without the subprotocol that the page offers, and
//! browsers then hang up. Here bytes pass unread once it is clear where they go: one connection carries one
//! request, or one socket for its whole life.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;

/// What the relay serves apart from the page.
const OF_THE_RELAY: [&str; 4] = ["/api", "/healthz", "/readyz", "/metrics"];
const HEAD_LIMIT: usize = 64 * 1024;
const HEAD_DEADLINE: Duration = Duration::from_secs(10);

/// Where the two servers are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backends {
    pub(crate) page: SocketAddr,
    pub(crate) relay: SocketAddr,
}

/// Serves from a thread of its own until the process ends.
pub(crate) fn serve(listen: SocketAddr, backends: Backends) -> anyhow::Result<()> {
    let listener = TcpListener::bind(listen).with_context(|| {
        format!("cannot serve at {listen}; choose another address with --listen HOST:PORT")
    })?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || {
                // A peer that goes away in the middle is daily life here.
                let _ = pass(client, backends);
            });
        }
    });
    Ok(())
}

fn pass(mut client: TcpStream, backends: Backends) -> io::Result<()> {
    client.set_read_timeout(Some(HEAD_DEADLINE))?;
    let (head, rest) = read_head(&mut client)?;
    client.set_read_timeout(None)?;
    let backend = if is_for_the_relay(&head) { backends.relay } else { backends.page };
    let Ok(mut server) = TcpStream::connect(backend) else {
        return client.write_all(
            b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 31\r\n\r\nStarting up. Try again shortly.",
        );
    };
    server.write_all(forwarded(&head).as_bytes())?;
    server.write_all(&rest)?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    let upward = thread::spawn(move || {
        let _ = io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let _ = io::copy(&mut server, &mut client);
    let _ = client.shutdown(Shutdown::Both);
    let _ = upward.join();
    Ok(())
}

/// The head up to its empty line, and what of the body came with it.
fn read_head(client: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            let head = String::from_utf8(bytes).map_err(io::Error::other)?;
            return Ok((head, rest));
        }
        let count = client.read(&mut piece)?;
        if count == 0 || bytes.len() > HEAD_LIMIT {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&piece[..count]);
    }
}

fn is_for_the_relay(head: &str) -> bool {
    let path = head.split(' ').nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    OF_THE_RELAY
        .iter()
        .any(|ours| path.strip_prefix(ours).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// A request asks its server to close afterwards, so that the next one on this connection is looked at
/// again; an upgrade passes as it is.
fn forwarded(head: &str) -> String {
    let is =
        |line: &str, name: &str| line.split(':').next().is_some_and(|found| found.eq_ignore_ascii_case(name));
    if head.lines().any(|line| is(line, "upgrade")) {
        return head.to_owned();
    }
    let mut text = String::with_capacity(head.len() + 32);
    for line in head.trim_end().split("\r\n").filter(|line| !is(line, "connection")) {
        text += line;
        text += "\r\n";
    }
    text + "Connection: close\r\n\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_find_their_server() {
        for (head, relay) in [
            ("GET /api/v1/sessions HTTP/1.1\r\n\r\n", true),
            ("GET /readyz?x=1 HTTP/1.1\r\n\r\n", true),
            ("GET / HTTP/1.1\r\n\r\n", false),
            ("GET /apiary HTTP/1.1\r\n\r\n", false),
            ("GET /session/api HTTP/1.1\r\n\r\n", false),
        ] {
            assert_eq!(is_for_the_relay(head), relay, "{head}");
        }
    }

    #[test]
    fn one_connection_carries_one_request_but_a_socket_stays() {
        let head = "GET / HTTP/1.1\r\nHost: a\r\nconnection: keep-alive\r\n\r\n";
        assert_eq!(forwarded(head), "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let head = "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
        assert_eq!(forwarded(head), head);
    }
}
