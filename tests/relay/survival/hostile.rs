//! Hostile peers: others are still served.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mien_kit::load::{Load, median, p99};
use mien_kit::relay::Relay;
use mien_kit::socket::{Kind, connect, hear, say};
use mien_kit::{patiently, until};
use mien_shared::protocol::{IngestReply, IngestRequest};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::workload::Workload;

const RATE: &str = "MIEN_SAMPLES_PER_SECOND";
const BURST: &str = "MIEN_SAMPLES_BURST";

/// Ninety-nine of a hundred acks arrive within this time while others misbehave. Far shorter than any attack here
/// lasts, and far longer than an ack takes even on a machine that builds other things.
const DELAY: Duration = Duration::from_secs(5);

/// Honest sources are served as if they were alone, or nearly so.
#[track_caller]
pub(crate) fn are_not_delayed(name: &str, alone: &[Duration], under: &[Duration]) {
    println!("{name}: ack p50 {:?} before and {:?} meanwhile", median(alone), median(under));
    let (alone, under) = (p99(alone), p99(under));
    let ratio = under.as_secs_f64() / alone.as_secs_f64().max(1e-9);
    println!("{name}: ack p99 {alone:?} before and {under:?} meanwhile, × {ratio:.2}");
    assert!(under <= DELAY, "{name}: acks took {under:?}, and {alone:?} before");
}

/// Runs an attack while a few honest sources send; all of them must be served without delay.
pub(crate) async fn beside<T>(name: &str, relay: &Relay, attack: impl Future<Output = T>) -> T {
    let mut workload = Workload::start(relay, &[Load::STEADY; 4], 1).await;
    workload.acked_more(200).await;
    let alone: Vec<Duration> = workload.sources.iter().flat_map(|source| source.take_latencies()).collect();
    let outcome = {
        tokio::pin!(attack);
        loop {
            // Ack by ack: each one must arrive while the attack lasts.
            tokio::select! {
                outcome = &mut attack => break outcome,
                () = workload.acked_more(20) => {}
            }
        }
    };
    let under: Vec<Duration> = workload.sources.iter().flat_map(|source| source.take_latencies()).collect();
    are_not_delayed(name, &alone, &under);
    let (accounts, _) = workload.finish(relay).await;
    assert!(accounts.iter().all(|account| account.closes.len() == 1), "no honest source was cut off");
    assert!(accounts.iter().all(|account| account.throttled == 0), "no honest source had to wait");
    outcome
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handshakes_that_drip_are_ended_and_delay_nobody() {
    const PEERS: usize = 400;
    let relay = Relay::start().await;
    let address = relay.address();
    let before = relay.handles();
    beside("slow handshakes", &relay, async {
        let mut peers = JoinSet::new();
        for _ in 0..PEERS {
            peers.spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(b"GET /api/v1/sessions HTTP/1.1\r\nHost: relay\r\n").await.unwrap();
                let (mut from, mut to) = stream.split();
                let drip = async {
                    // A byte now and then, so that it is never silent.
                    while to.write_all(b"X").await.is_ok() {
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                };
                let mut answer = Vec::new();
                tokio::select! {
                    _ = from.read_to_end(&mut answer) => {}
                    () = drip => {}
                }
            });
        }
        patiently("the relay to end them all", peers.join_all()).await;
    })
    .await;
    until("their handles to be given back", || async { relay.handles() <= before + 16 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_failed_hellos_delay_nobody() {
    const HELLOS: u64 = 10_000;
    const AT_A_TIME: usize = 16;
    let relay = Relay::start().await;
    let before = relay.handles();
    let session = relay.api().create_session().await.session.id;
    let address = relay.address();
    beside("failed hellos", &relay, async {
        let left = Arc::new(AtomicU64::new(HELLOS));
        let mut peers = JoinSet::new();
        for _ in 0..AT_A_TIME {
            let left = Arc::clone(&left);
            peers.spawn(async move {
                while left
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                    .is_ok()
                {
                    let mut socket = connect(address, session, Kind::Ingest, None).await.unwrap();
                    say(&mut socket, &IngestRequest::Hello { token: "x.y.z" }).await.unwrap();
                    let code = hear::<IngestReply>(&mut socket).await.expect_err("nobody is welcome");
                    // On a very busy machine, their hello comes too late even for that.
                    assert!([4401, 4408].contains(&code), "closed with {code}");
                }
            });
        }
        patiently("all hellos to fail", peers.join_all()).await;
    })
    .await;
    until("their handles to be given back", || async { relay.handles() <= before + 16 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_from_one_user_delays_nobody_else() {
    const SHOWN_OUT: usize = 5;
    // Four honest sources of one user together send four hundred samples a second.
    let relay = Relay::start_with(&[(RATE, "1000"), (BURST, "4000")]).await;
    let api = relay.api_of("flooder").await;
    let session = api.create_session().await;
    let address = relay.address();
    let codes = beside("a flood", &relay, async {
        let mut codes = Vec::new();
        while codes.len() < SHOWN_OUT {
            let mut socket = connect(address, session.session.id, Kind::Ingest, None).await.unwrap();
            say(&mut socket, &IngestRequest::Hello { token: &session.tokens.ingest }).await.unwrap();
            let Ok(IngestReply::Welcome(welcome)) = hear(&mut socket).await else { panic!("not a welcome") };
            let (mut to, mut from) = futures_util::StreamExt::split(socket);
            let flood = async {
                let load = Load { batch: 250, ..Load::FAST };
                let mut first = welcome.through + 1;
                while mien_kit::load::push(&mut to, load, first).await.is_ok() {
                    first += load.batch;
                }
                std::future::pending::<()>().await;
            };
            let listen = async {
                loop {
                    if let Err(code) = hear::<IngestReply>(&mut from).await {
                        return code;
                    }
                }
            };
            tokio::select! {
                () = flood => {}
                code = listen => codes.push(code),
            }
        }
        codes
    })
    .await;
    assert!(codes.contains(&4429), "who sends on is shown out: {codes:?}");
}
