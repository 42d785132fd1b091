//! A proxy in front of the relay as in some people's networks: one that passes no WebSockets on, or that asks for a
//! password of its own.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// More than any request head that a browser sends here.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// What it does to traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    PassesEverything,
    /// Removes `Upgrade` and `Connection`, as proxies do that are not configured for WebSockets.
    DropsUpgrade,
    /// Answers every API call that has no HTTP authentication password with 401.
    AsksForPassword,
}

#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    to: SocketAddr,
    manner: Mutex<Manner>,
    closing: Mutex<bool>,
    /// Both ends of every connection so far.
    open: Mutex<Vec<TcpStream>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proxy {
    pub fn to(to: SocketAddr, manner: Manner) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let shared = Arc::new(Shared {
            to,
            manner: Mutex::new(manner),
            closing: Mutex::new(false),
            open: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if *lock(&serving.closing) {
                    return;
                }
                let serving = Arc::clone(&serving);
                // If a connection fails, it fails for the browser, too.
                thread::spawn(move || serving.serve(client));
            }
        });
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes its behaviour from now on. Open connections are closed.
    pub fn behave(&self, manner: Manner) {
        *lock(&self.shared.manner) = manner;
        self.shared.cut();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        *lock(&self.shared.closing) = true;
        self.shared.cut();
        // Wakes the listener so that its thread sees the end.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn cut(&self) {
        for end in lock(&self.open).drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// One request per connection, or one WebSocket.
    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let (head, body) = read_head(&mut client)?;
        let head = String::from_utf8(head).map_err(io::Error::other)?;
        let manner = *lock(&self.manner);
        let is_upgrade = named(&head, "upgrade").is_some();
        if manner == Manner::AsksForPassword
            && head.split(' ').nth(1).is_some_and(|path| path.starts_with("/api/"))
            && !named(&head, "authorization").is_some_and(|value| value.starts_with("Basic "))
        {
            let answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"staff\"\r\n\
                Content-Type: text/html\r\nContent-Length: 14\r\nConnection: close\r\n\r\n<h1>Staff</h1>";
            return client.write_all(answer.as_bytes());
        }
        let passes_upgrade = is_upgrade && manner != Manner::DropsUpgrade;
        let mut passed = String::new();
        for line in head.trim_end().split("\r\n") {
            let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
            if passes_upgrade || !matches!(name.as_str(), "upgrade" | "connection") {
                passed += line;
                passed += "\r\n";
            }
        }
        passed += if passes_upgrade { "\r\n" } else { "Connection: close\r\n\r\n" };
        let mut relay = TcpStream::connect(self.to)?;
        lock(&self.open).extend([client.try_clone()?, relay.try_clone()?]);
        relay.write_all(passed.as_bytes())?;
        relay.write_all(&body)?;
        let (mut up, mut down) = (client.try_clone()?, relay.try_clone()?);
        thread::spawn(move || {
            let _ = io::copy(&mut up, &mut down);
            let _ = down.shutdown(Shutdown::Write);
        });
        io::copy(&mut relay, &mut client)?;
        client.shutdown(Shutdown::Both)
    }
}

/// The request's head with its empty line, and the part of the body that arrived with it.
fn read_head(client: &mut TcpStream) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4_096];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let body = bytes.split_off(end + 4);
            return Ok((bytes, body));
        }
        let length = client.read(&mut piece)?;
        if length == 0 || bytes.len() > MAX_HEAD_BYTES {
            return Err(io::Error::other("no whole head"));
        }
        bytes.extend_from_slice(&piece[..length]);
    }
}

fn named<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}
