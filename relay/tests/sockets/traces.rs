//! Traces of the real binary at a collector of the test's own: from a client's request to the commit.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use mien_relay::auth::{Caller, Grant, TokenKey};
use mien_shared::Role;
use mien_shared::api::SourceName;
use serde_json::json;
use tokio_tungstenite::connect_async;

use crate::harness::{Client, FUTURE, SECRET, request};
use crate::restart::{Process, store};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Takes what is posted, answers that all is well, and hands on each body.
fn collector() -> (String, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, bodies) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut length = 0;
            for line in stream.by_ref().lines().map(Result::unwrap_or_default) {
                if let Some(number) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = number.trim().parse().unwrap();
                }
                if line.is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
            if sender.send(body).is_err() {
                return;
            }
        }
    });
    (address, bodies)
}

#[tokio::test]
async fn a_trace_goes_from_the_request_to_the_commit() {
    let (address, bodies) = collector();
    let folder = tempfile::tempdir().unwrap();
    let database = store(folder.path()).await;
    let session = database.create_session("local", "", "").await.unwrap().id;
    database.close().await;
    let grant = Grant { session, role: Role::Ingest, source: SourceName::default() };
    let token =
        TokenKey::new(SECRET.as_bytes()).sign(&Caller { user: "local".into(), grant: Some(grant) }, FUTURE);

    let relay = Process::start_with(folder.path(), &[("MIEN_OTLP_ENDPOINT", address)]);
    let mut upgrade = request(relay.address, &session.to_string(), "ingest");
    let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
    upgrade.headers_mut().insert("traceparent", parent.parse().unwrap());
    let (socket, response) = connect_async(upgrade).await.unwrap();
    let ours = response.headers()["traceparent"].to_str().unwrap();
    assert!(ours.contains(TRACE) && ours != parent, "{ours}");
    let mut client = Client { socket };
    client.say(&json!({"type": "hello", "token": token})).await;
    client.hear_type("welcome").await;
    client.send(1..=3).await;
    client.acked(3).await;
    client.leave().await;
    relay.end();

    let told: Vec<u8> = bodies.try_iter().flatten().collect();
    let has = |bytes: &[u8]| told.windows(bytes.len()).any(|window| window == bytes);
    let id: Vec<u8> =
        (0..16).map(|byte| u8::from_str_radix(&TRACE[2 * byte..2 * byte + 2], 16).unwrap()).collect();
    assert!(has(&id), "the caller's trace");
    for name in ["mien-relay", "request", "ingest", "samples", "commit"] {
        assert!(has(name.as_bytes()), "{name}");
    }
    assert!(!has(token.as_bytes()), "no secret in a trace");
}
