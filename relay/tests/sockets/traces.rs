//! Traces of the real binary at a collector of the test's own: from a client's request to the commit, and what is told
//! of those that never arrive.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, channel};

use mien_relay::auth::{Caller, Grant, TokenKey};
use mien_shared::Role;
use mien_shared::api::SourceName;
use serde_json::json;

use crate::process::{self, store};
use mien_in_process::client::Client;
use mien_in_process::{FUTURE, SECRET, until};
use mien_kit::http::get;
use mien_kit::socket::request;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Takes what is posted, answers with this status, and hands on each body.
fn collector(status: Arc<AtomicU16>) -> (String, Receiver<Vec<u8>>) {
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
            let status = status.load(Ordering::SeqCst);
            let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
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
    let (address, bodies) = collector(Arc::new(AtomicU16::new(200)));
    let folder = tempfile::tempdir().unwrap();
    let database = store(folder.path()).await;
    let session = database.create_session("local", "", "").await.unwrap().id;
    database.close().await;
    let grant = Grant { session, role: Role::Ingest, source: SourceName::default() };
    let token =
        TokenKey::new(SECRET.as_bytes()).sign(&Caller { user: "local".into(), grant: Some(grant) }, FUTURE);

    // An open relay warns of that.
    let settings = [("MIEN_OTLP_ENDPOINT", address.as_str()), ("MIEN_AUTH", "token")];
    let relay = process::start(folder.path(), &settings).await;
    let mut upgrade = request(relay.address(), &session.to_string(), "ingest");
    let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
    upgrade.headers_mut().insert("traceparent", parent.parse().unwrap());
    let (mut client, response) = Client::upgrade(relay.address(), upgrade).await;
    let ours = response.headers()["traceparent"].to_str().unwrap();
    assert!(ours.contains(TRACE) && ours != parent, "{ours}");
    client.say(&json!({"type": "hello", "token": token})).await;
    client.hear_type("welcome").await;
    client.send(1..=3).await;
    client.acked(3).await;
    client.leave().await;
    assert_eq!(process::end(relay).await, "", "what arrives is not worth a word");

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

/// The lines of a log that have these words.
fn lines<'a>(log: &'a str, words: &str) -> Vec<&'a str> {
    log.lines().filter(|line| line.contains(words)).collect()
}

/// The words of the one line about traces that were lost, at the end of a relay with this collector.
async fn last_words(collector: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let relay = process::start(folder.path(), &[("MIEN_OTLP_ENDPOINT", collector)]).await;
    get(relay.address(), "/healthz").await;
    let log = process::end(relay).await;
    let lines = lines(&log, "traces never arrived at the collector");
    assert_eq!(lines.len(), 1, "{log}");
    lines[0].to_owned()
}

#[tokio::test]
async fn a_collector_that_is_not_there_is_told_at_the_end() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let line = last_words(&format!("http://mien:hush@{closed}")).await;
    assert!(line.contains("WARN") && line.contains(&format!("{closed}/v1/traces")), "{line}");
    assert!(line.contains("network error") && line.contains("spans="), "{line}");
    assert!(!line.contains("hush"), "{line}");
}

#[tokio::test]
async fn a_collector_that_takes_nothing_is_told_at_the_end() {
    let (address, _bodies) = collector(Arc::new(AtomicU16::new(503)));
    let line = last_words(&address).await;
    assert!(line.contains(&address) && line.contains("status code: 503"), "{line}");
}

#[tokio::test]
async fn traces_that_are_lost_meanwhile_are_told_once_and_so_is_their_return() {
    let status = Arc::new(AtomicU16::new(503));
    let (address, bodies) = collector(Arc::clone(&status));
    let folder = tempfile::tempdir().unwrap();
    let settings =
        [("MIEN_OTLP_ENDPOINT", address.as_str()), ("MIEN_LOG", "info"), ("OTEL_BSP_SCHEDULE_DELAY", "10")];
    let relay = process::start(folder.path(), &settings).await;
    // Three exports that fail for good, each of them tried four times.
    let mut tries = 0;
    while tries < 12 {
        get(relay.address(), "/healthz").await;
        tries += bodies.try_iter().count();
    }
    status.store(200, Ordering::SeqCst);
    until(async || {
        get(relay.address(), "/healthz").await;
        relay.said().contains("traces arrive at the collector again")
    })
    .await;
    let log = process::end(relay).await;
    assert_eq!(lines(&log, "traces do not arrive at the collector").len(), 1, "{log}");
    assert_eq!(lines(&log, "arrive at the collector again").len(), 1, "{log}");
    assert_eq!(lines(&log, "traces never arrived at the collector").len(), 1, "{log}");
}
