//! Long reads: how many are under way at once, whose places they take, and that who hangs up gives theirs back.

use hyper::StatusCode;
use mien_relay::limits::ReadPermit;
use mien_shared::api::SessionCreated;
use mien_shared::{Code, Expression};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use mien_in_process::samples::with_faces as sample;
use mien_in_process::{Relay, until};

/// Of 32 faces each, some 4 KB as text: together more than every buffer between the relay and a peer that does not
/// read can hold.
const SAMPLES: u64 = 5_000;

async fn long_session(relay: &Relay) -> SessionCreated {
    let created = relay.create("alice").await;
    let faces = [Some(Expression::Fear); 32];
    let samples: Vec<_> = (1..=SAMPLES).map(|seq| sample(seq, seq * 40, &faces)).collect();
    relay.store(created.session.id, "main", &samples).await;
    created
}

/// Asks, and reads no more than that it is answered.
async fn ask(relay: &Relay, path: &str, token: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stream = socket.connect(relay.address).await.unwrap();
    let head =
        format!("GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\r\n", relay.address);
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn is_answered(stream: &mut TcpStream) -> bool {
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.unwrap();
    &start == b"HTTP/1.1 200"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_link_has_three_exports_at_once_and_none_of_its_owners() {
    let relay = Relay::guarded().await;
    let created = long_session(&relay).await;
    let (watch, owner) = (&created.tokens.watch, &created.tokens.owner);
    let session = format!("/api/v1/sessions/{}", created.session.id);
    let export = format!("{session}/export?format=ndjson");
    let mut slow = Vec::new();
    for _ in 0..3 {
        let mut stream = ask(&relay, &export, watch).await;
        assert!(is_answered(&mut stream).await);
        slow.push(stream);
    }

    let more = relay.get(&export, watch).await;
    assert_eq!(more.status, StatusCode::TOO_MANY_REQUESTS);
    more.is_problem(Code::RateLimited);
    assert!(more.header("retry-after").parse::<u64>().unwrap() >= 1);
    // What ends by itself is counted apart, and so is everyone else.
    assert_eq!(relay.get(&format!("{session}/summary"), watch).await.status, StatusCode::OK);
    for token in [owner, &relay.user("alice")] {
        assert_eq!(relay.get(&export, token).await.status, StatusCode::OK);
    }

    slow.pop();
    // As soon as the relay sees that it is gone.
    while relay.get(&export, watch).await.status != StatusCode::OK {}
    let counted = relay.get("/metrics", "").await.text();
    assert!(counted.contains("rate_limited_total{kind=\"reads\"} "), "{counted}");
}

async fn every_permit(relay: &Relay) -> Vec<ReadPermit> {
    let permits = &relay.state.reads.permits;
    let mut held = Vec::new();
    for _ in 0..permits.available() {
        held.push(permits.acquire().await);
    }
    held
}

/// With every turn at the store taken, what is asked for stays under way for as long as the test wants.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hangs_up_gives_the_place_back_wherever_the_work_was() {
    let relay = Relay::guarded().await;
    let created = long_session(&relay).await;
    let (watch, owner) = (&created.tokens.watch, &created.tokens.owner);
    let session = format!("/api/v1/sessions/{}", created.session.id);
    for tail in ["series?resolution_ms=1000", "summary"] {
        let path = format!("{session}/{tail}");
        let permits = every_permit(&relay).await;
        let mut asked = Vec::new();
        for _ in 0..3 {
            asked.push(ask(&relay, &path, watch).await);
        }
        until(async || relay.state.reads.under_way() == 3).await;
        relay.get(&path, watch).await.is_problem(Code::RateLimited);
        assert_eq!(relay.state.reads.under_way(), 3, "{tail}");
        drop(asked);
        until(async || relay.state.reads.under_way() == 0).await;
        drop(permits);
        for token in [watch, owner] {
            assert_eq!(relay.get(&path, token).await.status, StatusCode::OK, "{tail}");
        }
        until(async || relay.state.reads.under_way() == 0).await;
    }
}

/// A page is soon read: those who ask for many at once wait for each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_and_short_series_that_are_asked_for_together_are_all_answered() {
    let relay = std::sync::Arc::new(Relay::guarded().await);
    let created = relay.create("alice").await;
    let samples: Vec<_> = (1..=2_000).map(|seq| sample(seq, seq * 40, &[None])).collect();
    relay.store(created.session.id, "main", &samples).await;
    let session = format!("/api/v1/sessions/{}", created.session.id);
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..50 {
        for tail in ["samples?limit=1000", "series"] {
            let (relay, path, watch) =
                (relay.clone(), format!("{session}/{tail}"), created.tokens.watch.clone());
            asked.spawn(async move { relay.get(&path, &watch).await.status });
        }
    }
    assert!(asked.join_all().await.iter().all(|status| *status == StatusCode::OK));
}
