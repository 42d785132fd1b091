//! Peers without a token: what they can hold, and whom they can keep out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mien_kit::relay::Relay;
use mien_kit::socket::{Kind, connect, hear, say};
use mien_kit::{patiently, until};
use mien_shared::SessionId;
use mien_shared::protocol::{WatchReply, WatchRequest};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Each peer is an open file of this process, too.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
}

/// Starts a first message of this size and sends all but its last byte; stays until the relay closes the connection.
async fn begin_message(address: SocketAddr, session: SessionId, bytes: u32) {
    let Ok(mut stream) = TcpStream::connect(address).await else { return };
    let request = format!(
        "GET /api/v1/sessions/{session}/watch HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bWllbi1zdHJhbmdlci0xNg==\r\n\
         Sec-WebSocket-Protocol: mien.v1\r\n\r\n"
    );
    let mut head = vec![0x81, 0xff];
    head.extend(u64::from(bytes).to_be_bytes());
    head.extend([0; 4]);
    let mut answer = [0; 1_024];
    if stream.write_all(request.as_bytes()).await.is_err() || stream.read(&mut answer).await.unwrap_or(0) == 0
    {
        return;
    }
    let message = vec![b' '; bytes as usize - 1];
    if stream.write_all(&head).await.is_ok() && stream.write_all(&message).await.is_ok() {
        while stream.read(&mut answer).await.unwrap_or(0) > 0 {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_messages_that_never_end_take_little_memory() {
    const PEERS: usize = 1_000;
    /// How much memory a thousand may use together, including what any relay holds once it has served someone.
    const MOST_KIB: u64 = 64 * 1_024;
    raise_file_limit();
    let mut grown = Vec::new();
    for bytes in [131_072, 16_384] {
        let relay = Relay::start().await;
        let session = relay.api().create_session().await.session.id;
        let (address, before) = (relay.address(), relay.memory_kib());
        let mut peers = JoinSet::new();
        for _ in 0..PEERS {
            peers.spawn(begin_message(address, session, bytes));
        }
        let mut most = before;
        let gone = async { while peers.join_next().await.is_some() {} };
        tokio::pin!(gone);
        patiently("the peers to be shown out", async {
            loop {
                tokio::select! {
                    () = &mut gone => break,
                    () = tokio::time::sleep(Duration::from_millis(20)) => most = most.max(relay.memory_kib()),
                }
            }
        })
        .await;
        println!(
            "{PEERS} unfinished first messages of {bytes} bytes: {} MiB before, {} MiB at most",
            before / 1_024,
            most / 1_024
        );
        grown.push(most - before);
    }
    assert!(grown.iter().all(|kib| *kib < MOST_KIB), "{grown:?} KiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_who_come_again_and_again_keep_nobody_out() {
    const STRANGERS: usize = 60;
    const TRIES: usize = 40;
    const AT_A_TIME: usize = 8;
    let relay = Relay::start_with(&[("MIEN_MAX_CONNECTIONS", "50")]).await;
    let created = relay.api().create_session().await;
    let (address, session) = (relay.address(), created.session.id);
    let over = Arc::new(AtomicBool::new(false));
    let mut strangers = JoinSet::new();
    for _ in 0..STRANGERS {
        let over = Arc::clone(&over);
        strangers.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                if let Ok(mut socket) = connect(address, session, Kind::Watch, None).await {
                    // The relay sends nothing until it closes the connection.
                    let _ = hear::<WatchReply>(&mut socket).await;
                } else {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        });
    }
    let open = || async { relay.api().metric("websocket_active_connections{kind=\"watch\"}").await };
    until("the strangers to be there", || async { open().await.unwrap_or(0.0) >= 32.0 }).await;
    let token = created.tokens.watch.clone();
    let honest = async move || {
        let begun = Instant::now();
        let mut socket = connect(address, session, Kind::Watch, None).await.ok()?;
        say(&mut socket, &WatchRequest::Hello { token: &token, since: None }).await.ok()?;
        let welcome = hear::<WatchReply>(&mut socket).await.ok()?;
        matches!(welcome, WatchReply::Welcome(_)).then(|| begun.elapsed())
    };
    let mut waits = Vec::new();
    for _ in 0..TRIES / AT_A_TIME {
        let tries = futures_util::future::join_all((0..AT_A_TIME).map(|_| honest()));
        waits.extend(patiently("an honest try", tries).await);
    }
    over.store(true, Ordering::Relaxed);
    let served: Vec<Duration> = waits.iter().flatten().copied().collect();
    println!(
        "{STRANGERS} strangers who reopen, room for 50: {} of {TRIES} honest tries, the slowest {:?}",
        served.len(),
        served.iter().max()
    );
    assert_eq!(served.len(), TRIES);
    drop(strangers);
}
