//! Many connections at once, from strangers and from honest clients: health checks are answered throughout, and nobody
//! who sends a request has to wait for those who do not. Each test prints what it cost.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mien_kit::load::median;
use mien_kit::relay::{Confinement, Relay, Setup};
use mien_kit::socket::{Kind, Missed, connect, hear, say};
use mien_kit::{patiently, until};
use mien_servers::missing::skip;
use mien_shared::protocol::{WatchReply, WatchRequest};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::hostile::beside;

/// How long a health checker such as Kubernetes or a load balancer waits before it gives up. Nothing here takes a
/// hundredth of that.
const PROBE_PATIENCE: Duration = Duration::from_secs(5);
const PROBES: usize = 8;
/// How long a stranger whose connection was closed waits before opening another.
const REOPEN: Duration = Duration::from_secs(2);

/// Every process here may open as many files as the system allows.
fn raise_handle_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("a limit within its bounds");
}

/// How long each health check took, `None` if there was no answer in time.
async fn probe(relay: &Relay) -> Vec<Option<Duration>> {
    let mut took = Vec::new();
    for _ in 0..PROBES {
        let asked = Instant::now();
        let health = relay.api();
        let health = tokio::time::timeout(PROBE_PATIENCE, health.status("/healthz")).await;
        took.push((health == Ok(Some(200))).then(|| asked.elapsed()));
    }
    took
}

#[track_caller]
fn all_answered(name: &str, probes: &[Option<Duration>]) {
    let answered: Vec<Duration> = probes.iter().flatten().copied().collect();
    println!("{name}: {} of {PROBES} health checks answered, p50 {:?}", answered.len(), median(&answered));
    assert_eq!(answered.len(), PROBES, "{probes:?}");
}

/// Sends a request from this address of the machine; returns the status.
async fn ask_from(own: &str, address: SocketAddr, path: &str) -> String {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::new(own.parse().expect("an address"), 0)).expect("an address of this machine");
    let mut stream = socket.connect(address).await.expect("the relay accepts");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("the relay reads");
    let mut answer = Vec::new();
    patiently(&format!("an answer to {path}"), stream.read_to_end(&mut answer)).await.expect("an answer");
    String::from_utf8_lossy(&answer[..12.min(answer.len())]).into_owned()
}

/// A client that sends this, and then neither reads nor writes.
async fn linger(address: SocketAddr, request: &str) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.set_recv_buffer_size(4_096).ok()?;
    let mut stream = socket.connect(address).await.ok()?;
    stream.write_all(request.as_bytes()).await.ok()?;
    Some(stream)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_connections_keep_nobody_out() {
    const PEERS: usize = 1_500;
    raise_handle_limit();
    let relay = Relay::start().await;
    let address = relay.address();
    let (before, handles) = (relay.memory_kib(), relay.handles());
    let probes = beside("silent connections", &relay, async {
        let opened = Arc::new(AtomicUsize::new(0));
        let mut silent = JoinSet::new();
        for _ in 0..PEERS {
            let opened = Arc::clone(&opened);
            silent.spawn(async move {
                loop {
                    if let Some(mut stream) = linger(address, "").await {
                        opened.fetch_add(1, Ordering::Relaxed);
                        let _ = stream.read(&mut [0]).await;
                    }
                    tokio::time::sleep(REOPEN).await;
                }
            });
        }
        until("all to have come", || async { opened.load(Ordering::Relaxed) >= PEERS }).await;
        let probes = probe(&relay).await;
        println!("silent connections: memory {before} KiB before, {} meanwhile", relay.memory_kib());
        drop(silent);
        probes
    })
    .await;
    all_answered("silent connections", &probes);
    until("their handles to be given back", || async { relay.handles() <= handles + 16 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_do_not_read_keep_nobody_out_and_are_cut() {
    const PEERS: usize = 1_024;
    raise_handle_limit();
    let relay = Relay::start().await;
    let address = relay.address();
    let page = relay.api().call("GET", "/", None).await.expect("a page");
    assert_eq!(page.status.as_u16(), 200);
    let page = page.text();
    let worker = page.split_once("data-worker-wasm=\"").and_then(|(_, rest)| rest.split_once('"'));
    let Some((worker, _)) = worker else { return skip("this relay carries no page") };
    let worker = format!("/{}", worker.trim_start_matches('/'));
    let request = format!("GET {worker} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let (before, handles) = (relay.memory_kib(), relay.handles());
    let probes = beside("slow readers", &relay, async {
        let mut slow = JoinSet::new();
        for _ in 0..PEERS {
            let request = request.clone();
            slow.spawn(async move { linger(address, &request).await });
        }
        let slow = slow.join_all().await;
        let probes = probe(&relay).await;
        println!("slow readers: memory {before} KiB before, {} meanwhile", relay.memory_kib());
        let other = ask_from("127.0.0.2", address, &worker).await;
        assert_eq!(other, "HTTP/1.1 200", "another address is served");
        until("the relay to have cut them", || async { relay.handles() <= handles + 64 }).await;
        drop(slow);
        probes
    })
    .await;
    all_answered("slow readers", &probes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scrapers_of_metrics_are_all_answered_and_delay_nobody() {
    const SCRAPERS: usize = 30;
    const SCRAPES: usize = 6_000;
    let relay = Relay::start().await;
    let api = relay.api();
    let (scrapes, took) = beside("scrapers", &relay, async {
        let mut scrapers = JoinSet::new();
        let started = Instant::now();
        for _ in 0..SCRAPERS {
            let api = api.clone();
            scrapers.spawn(async move {
                for _ in 0..SCRAPES / SCRAPERS {
                    assert_eq!(api.status("/metrics").await, Some(200));
                }
            });
        }
        scrapers.join_all().await;
        (SCRAPES, started.elapsed())
    })
    .await;
    println!("scrapers: {scrapes} scrapes by {SCRAPERS} in {took:?}");
}

/// As in a load test, or when a proxy restarts and everyone behind it reconnects.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_sockets_of_one_address_are_all_let_in_at_once() {
    const SESSIONS: usize = 5;
    const EACH: usize = 400;
    raise_handle_limit();
    let relay = Relay::start().await;
    let address = relay.address();
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS {
        sessions.push(relay.api().create_session().await);
    }
    let started = Instant::now();
    let mut sockets = JoinSet::new();
    for session in sessions {
        for _ in 0..EACH {
            let (id, token) = (session.session.id, session.tokens.watch.clone());
            sockets.spawn(async move {
                let mut socket = connect(address, id, Kind::Watch, None).await?;
                let hello = WatchRequest::Hello { token: &token, since: None };
                say(&mut socket, &hello).await.map_err(|_| Missed::Nobody)?;
                match hear::<WatchReply>(&mut socket).await {
                    Ok(WatchReply::Welcome(_)) => Ok(socket),
                    other => panic!("{other:?}"),
                }
            });
        }
    }
    let sockets = patiently("all sockets to be welcomed", sockets.join_all()).await;
    let missed: Vec<&Missed> = sockets.iter().filter_map(|socket| socket.as_ref().err()).collect();
    println!("{} sockets of one address let in within {:?}", sockets.len() - missed.len(), started.elapsed());
    assert!(missed.is_empty(), "{missed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_handles_are_shared_out_and_the_log_is_told_once() {
    const HANDLES: u32 = 256;
    const PEERS: usize = 300;
    let setup = Setup { confinement: Confinement::OpenFiles(HANDLES), ..Setup::default() };
    let relay = Relay::start_as(setup, &[]).await;
    let address = relay.address();
    let session = relay.api().create_session().await;
    let (id, token) = (session.session.id, session.tokens.watch.as_str());
    let mut welcomed = Vec::new();
    let mut refused = Vec::new();
    let mut silent = Vec::new();
    for _ in 0..PEERS {
        silent.push(linger(address, "").await);
        match connect(address, id, Kind::Watch, None).await {
            Ok(mut socket) => {
                say(&mut socket, &WatchRequest::Hello { token, since: None }).await.expect("it is read");
                assert!(matches!(hear(&mut socket).await, Ok(WatchReply::Welcome(_))));
                welcomed.push(socket);
            }
            Err(missed) => refused.push(missed),
        }
    }
    all_answered("few handles", &probe(&relay).await);
    let said = relay.said();
    // The other warning that an open relay logs.
    let unexpected = |line: &&str| line.contains("WARN") && !line.contains("MIEN_AUTH=open");
    let warnings: Vec<&str> = said.lines().filter(unexpected).collect();
    println!("few handles: {} sockets, {} refused; {warnings:#?}", welcomed.len(), refused.len());
    assert!(welcomed.len() > 64 && !refused.is_empty());
    assert!(refused.iter().all(|missed| *missed == Missed::Refused(503)), "{refused:?}");
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
}
