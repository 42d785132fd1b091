//! HTTP connections: how long they may take, and who goes when there are too many.

use std::net::SocketAddr;
use std::time::Duration;

use hyper::{Method, StatusCode};
use mien_relay::config::Config;
use mien_shared::Code;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use mien_in_process::Relay;
use mien_in_process::samples::with_faces as sample;

/// A hang fails the test instead of the whole run; nothing is measured against it.
const PATIENCE: Duration = Duration::from_mins(1);
/// Far beyond any test.
const NEVER: Duration = Duration::from_hours(1);
const FLAGS: [&str; 2] = ["--auth=token", "--requests-burst=10000"];

/// A connection that says what a test wants it to say.
pub(crate) struct Peer {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Peer {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::connect_from("127.0.0.1", address, None).await
    }

    /// From another address of this machine; `receive_bytes` is the kernel's buffer, if it should be a small one.
    async fn connect_from(own: &str, address: SocketAddr, receive_bytes: Option<u32>) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        if let Some(bytes) = receive_bytes {
            socket.set_recv_buffer_size(bytes).unwrap();
        }
        socket.bind(SocketAddr::new(own.parse().unwrap(), 0)).unwrap();
        Self { stream: socket.connect(address).await.unwrap(), read: Vec::new() }
    }

    async fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    pub(crate) async fn ask(&mut self, path: &str) {
        self.ask_as(path, "").await;
    }

    async fn ask_as(&mut self, path: &str, headers: &str) {
        self.say(&format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n")).await;
    }

    /// Head and body of an answer that says its length.
    pub(crate) async fn answer(&mut self) -> (String, String) {
        let end = loop {
            if let Some(end) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            assert!(self.more().await, "hung up: {}", String::from_utf8_lossy(&self.read));
        };
        let head = String::from_utf8(self.read.drain(..end).collect()).unwrap().to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let length: usize = length.unwrap_or_default();
        while self.read.len() < length {
            assert!(self.more().await, "hung up in a body");
        }
        let body = String::from_utf8(self.read.drain(..length).collect()).unwrap();
        (head.replacen("http/1.1", "HTTP/1.1", 1), body)
    }

    /// `false` at the end.
    async fn more(&mut self) -> bool {
        let mut part = vec![0; 16 * 1024];
        let bytes = patiently(self.stream.read(&mut part)).await.unwrap_or_default();
        self.read.extend_from_slice(&part[..bytes]);
        bytes > 0
    }

    /// Returns when the relay has hung up without another word.
    async fn hung_up(&mut self) {
        assert!(self.read.is_empty() && !self.more().await, "{}", String::from_utf8_lossy(&self.read));
    }
}

async fn patiently<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it hangs")
}

/// A relay with a session whose export is longer than what the kernel takes for a peer that reads nothing.
async fn with_a_long_export(change: impl FnOnce(&mut Config)) -> (Relay, String, String) {
    let relay = Relay::start_changed(&FLAGS, change).await;
    let id = relay.create("alice").await.session.id;
    let samples: Vec<_> = (1..=12_000).map(|seq| sample(seq, seq, &[None; 3])).collect();
    relay.store(id, "main", &samples).await;
    let token = format!("Authorization: Bearer {}\r\n", relay.user("alice"));
    (relay, format!("/api/v1/sessions/{id}/export?format=ndjson"), token)
}

#[tokio::test]
async fn an_idle_connection_outlasts_the_time_for_headers() {
    let relay = Relay::start_changed(&FLAGS, |config| {
        config.timeouts.headers = Duration::from_millis(100);
        config.timeouts.idle = NEVER;
    })
    .await;
    let mut idle = Peer::connect(relay.address).await;
    idle.ask("/healthz").await;
    assert!(idle.answer().await.0.starts_with("HTTP/1.1 200"));
    // Both the time of a first head and that of a later one, which began after the other connection fell idle.
    for first in [None, Some("/healthz")] {
        let mut slow = Peer::connect(relay.address).await;
        if let Some(path) = first {
            slow.ask(path).await;
            slow.answer().await;
        }
        slow.say("GET /healthz HTTP/1.1\r\nHost:").await;
        slow.hung_up().await;
    }
    idle.ask("/healthz").await;
    assert!(idle.answer().await.0.starts_with("HTTP/1.1 200"), "closed while idle");
}

#[tokio::test]
async fn an_idle_connection_ends_in_its_time() {
    let relay = Relay::start_changed(&FLAGS, |config| {
        config.timeouts.headers = Duration::from_millis(50);
        config.timeouts.idle = Duration::from_millis(100);
    })
    .await;
    let mut idle = Peer::connect(relay.address).await;
    idle.ask("/healthz").await;
    idle.answer().await;
    idle.hung_up().await;
}

#[tokio::test]
async fn silent_connections_make_room_and_none_of_another_address() {
    let relay = Relay::start_changed(&FLAGS, |config| {
        config.max_http_connections_per_address = 8;
        config.timeouts.grace = Duration::ZERO;
        config.timeouts.headers = NEVER;
    })
    .await;
    let mut other = Peer::connect_from("127.0.0.2", relay.address, None).await;
    let mut silent = Vec::new();
    for number in 0..40 {
        let mut peer = Peer::connect(relay.address).await;
        if number % 2 == 1 {
            peer.say("GET / HTTP/1.1\r\nHost:").await;
        }
        silent.push(peer);
        if number % 5 == 0 {
            assert_eq!(relay.get("/healthz", "").await.status, StatusCode::OK, "beside {number}");
        }
    }
    for peer in &mut silent[..30] {
        peer.hung_up().await;
    }
    other.ask("/healthz").await;
    assert!(other.answer().await.0.starts_with("HTTP/1.1 200"), "another address was not theirs to take");
    // One that was answered and is idle is as silent as any.
    let mut idle = Peer::connect(relay.address).await;
    idle.ask("/healthz").await;
    idle.answer().await;
    for _ in 0..9 {
        silent.push(Peer::connect(relay.address).await);
    }
    idle.hung_up().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_makes_room_too() {
    let relay = Relay::start_changed(&FLAGS, |config| {
        config.max_http_connections_per_address = 4;
        config.timeouts.grace = Duration::ZERO;
        config.timeouts.line = NEVER;
    })
    .await;
    let mut slow = Vec::new();
    for _ in 0..4 {
        let mut peer = Peer::connect(relay.address).await;
        let token = relay.user("mallory");
        peer.say(&format!(
            "POST /api/v1/sessions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Type: \
             application/json\r\nContent-Length: 2\r\n\r\n{{"
        ))
        .await;
        slow.push(peer);
    }
    let created = patiently(relay.post("/api/v1/sessions", &relay.user("alice"), "{}")).await;
    assert_eq!(created.status, StatusCode::CREATED);
}

#[tokio::test]
async fn where_every_place_is_taken_health_answers_and_others_are_told_to_come_back() {
    let (relay, export, token) = with_a_long_export(|config| {
        config.max_http_connections_per_address = 2;
        config.timeouts.line = Duration::from_millis(10);
        config.timeouts.stall = NEVER;
    })
    .await;
    let mut slow = Vec::new();
    for _ in 0..2 {
        let mut peer = Peer::connect_from("127.0.0.1", relay.address, Some(4_096)).await;
        peer.ask_as(&export, &token).await;
        peer.stream.read_u8().await.unwrap();
        slow.push(peer);
    }
    for _ in 0..20 {
        for path in ["/healthz", "/readyz"] {
            assert_eq!(relay.get(path, "").await.status, StatusCode::OK);
        }
        let refused = relay.get("/api/v1/sessions", &relay.user("alice")).await;
        refused.is_problem(Code::AtCapacity);
        assert_eq!((refused.header("retry-after"), refused.header("connection")), ("1", "close"));
    }
    let mut other = Peer::connect_from("127.0.0.2", relay.address, None).await;
    other.ask_as("/api/v1/sessions", &token).await;
    assert!(other.answer().await.0.starts_with("HTTP/1.1 200"), "another address has places of its own");
}

#[tokio::test]
async fn who_takes_nothing_of_an_answer_is_cut_and_the_next_gets_the_place() {
    let (relay, export, token) = with_a_long_export(|config| {
        config.max_http_connections_per_address = 1;
        config.timeouts.line = PATIENCE / 2;
        config.timeouts.headers = Duration::from_millis(200);
        config.timeouts.stall = Duration::from_millis(400);
    })
    .await;
    let mut slow = Peer::connect_from("127.0.0.1", relay.address, Some(4_096)).await;
    slow.ask_as(&export, &token).await;
    slow.stream.read_u8().await.unwrap();
    let answer = relay.get("/api/v1/sessions", &relay.user("alice")).await;
    assert_eq!(answer.status, StatusCode::OK, "the slow reader kept the only place");
}

#[tokio::test]
async fn who_takes_an_answer_slowly_gets_all_of_it() {
    let (relay, export, token) = with_a_long_export(|config| {
        config.timeouts.headers = Duration::from_millis(200);
        config.timeouts.stall = Duration::from_secs(2);
    })
    .await;
    let whole = relay.call(Method::GET, &export, &[("authorization", token[15..].trim())], "").await;
    assert!(whole.body.len() > 2_000_000, "{} bytes", whole.body.len());
    let mut slow = Peer::connect_from("127.0.0.1", relay.address, Some(64 * 1024)).await;
    slow.ask_as(&export, &format!("{token}Connection: close\r\n")).await;
    let mut bytes = 0;
    let mut part = vec![0; 16 * 1024];
    loop {
        let read = patiently(slow.stream.read(&mut part)).await.expect("cut though it took some");
        if read == 0 {
            break;
        }
        bytes += read;
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    assert!(bytes > whole.body.len(), "{bytes} of {} bytes came", whole.body.len());
}

#[tokio::test]
async fn where_it_grows_crowded_an_answer_says_that_it_is_the_last() {
    let relay = Relay::start_changed(&FLAGS, |config| config.max_http_connections_per_address = 4).await;
    let mut alone = Peer::connect(relay.address).await;
    alone.ask("/healthz").await;
    assert!(!alone.answer().await.0.contains("connection: close"));
    let _others = [Peer::connect(relay.address).await, Peer::connect(relay.address).await];
    // The relay has let them in when it answers one that came after them.
    let mut last = Peer::connect(relay.address).await;
    last.ask("/healthz").await;
    assert!(last.answer().await.0.contains("connection: close"));
    last.hung_up().await;
}

#[tokio::test]
async fn a_trusted_proxys_requests_count_for_whom_it_names() {
    let flags =
        ["--auth=token", "--requests-burst=1", "--requests-per-second=1", "--trusted-proxies=127.0.0.1"];
    let relay = Relay::start_changed(&flags, |config| config.max_http_connections_per_address = 2).await;
    let ask = async |named: &str| {
        relay
            .get_with("/api/v1/sessions", &[("x-forwarded-for", named), ("authorization", "Bearer a.b.c")])
            .await
    };
    ask("198.51.100.1").await.is_problem(Code::Unauthorized);
    ask("9.9.9.9, 198.51.100.1").await.is_problem(Code::RateLimited);
    ask("198.51.100.2").await.is_problem(Code::Unauthorized);
    // And it may have as many connections as there are.
    let mut peers = Vec::new();
    for _ in 0..20 {
        peers.push(Peer::connect(relay.address).await);
    }
    for peer in &mut peers {
        peer.ask("/healthz").await;
        assert!(peer.answer().await.0.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn anyone_else_is_not_believed() {
    let relay = Relay::start_with(&["--auth=token", "--requests-burst=1", "--requests-per-second=1"]).await;
    let ask = async |named: &str| relay.get_with("/api/v1/sessions", &[("x-forwarded-for", named)]).await;
    ask("198.51.100.1").await.is_problem(Code::Unauthorized);
    ask("198.51.100.2").await.is_problem(Code::RateLimited);
}
