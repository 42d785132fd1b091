//! Clients come and go for a while: nothing may accumulate.

use std::time::{Duration, Instant};

use mien_kit::database::Database;
use mien_kit::load::Load;
use mien_kit::relay::Relay;
use mien_kit::socket::{Kind, connect, hear, say};
use mien_kit::source::Source;
use mien_kit::until;
use mien_kit::watcher::{Pace, Watcher};
use mien_shared::protocol::{IngestRequest, WatchReply, WatchRequest};

use crate::workload::Workload;

/// Overrides `LENGTH` as the duration in seconds: `MIEN_SOAK_SECONDS=1800` is half an hour.
const SECONDS: &str = "MIEN_SOAK_SECONDS";
const LENGTH: Duration = Duration::from_mins(5);
/// How often memory is read, evenly over the duration.
const READINGS: u32 = 30;
/// Memory in the last third as a multiple of the first third's, at most: under half a KiB for each connection that came
/// in between.
const GROWTH: f64 = 1.1;
/// Handles that the store may keep open for later use: its pool's connections, up to three handles each.
const KEPT: usize = 3 * 25;

/// Everyone who comes and goes in one round.
async fn churn(relay: &Relay, round: u64) {
    let api = relay.api();
    let session = api.create_session().await;
    let id = session.session.id;
    let mut sources = Vec::new();
    let mut watchers = Vec::new();
    for number in 0..6 {
        let name = format!("cam-{number}");
        let token = api.source_token(id, &name).await;
        sources.push(Source::start(relay.address(), id, &name, &token, Load::STEADY));
        watchers.push(Watcher::start(relay.address(), id, &session.tokens.watch, Pace::Eager));
    }
    for source in &mut sources {
        source.acked_to(20).await;
    }
    // Some leave with a close frame, some without, some never said hello, some leave right after it.
    for (number, source) in sources.into_iter().enumerate() {
        if number % 2 == 0 { drop(source.finish().await) } else { source.abandon() }
    }
    for watcher in watchers {
        watcher.finish().await;
    }
    drop(connect(relay.address(), id, Kind::Ingest, None).await);
    if let Ok(mut socket) = connect(relay.address(), id, Kind::Ingest, None).await {
        let _ = say(&mut socket, &IngestRequest::Hello { token: &session.tokens.ingest }).await;
    }
    if let Ok(mut socket) = connect(relay.address(), id, Kind::Watch, None).await {
        let hello = WatchRequest::Hello { token: &session.tokens.watch, since: None };
        let _ = say(&mut socket, &hello).await;
        let _ = hear::<WatchReply>(&mut socket).await;
    }
    match round % 3 {
        0 => api.complete(id).await,
        1 => api.erase(id).await,
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_and_handles_stay_flat_over_sqlite_while_clients_come_and_go() {
    soak(&Relay::start_over_sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_and_handles_stay_flat_over_postgres_while_clients_come_and_go() {
    let Some(database) = Database::postgres() else { return };
    soak(&Relay::start_over(database.url(), &[]).await).await;
}

async fn soak(relay: &Relay) {
    let length = std::env::var(SECONDS)
        .map_or(LENGTH, |text| Duration::from_secs(text.parse().expect("a number of seconds")));
    let handles = relay.handles();
    // Two that stay the whole time.
    let workload = Workload::start(relay, &[Load::STEADY; 2], 2).await;
    let (begun, mut rounds) = (Instant::now(), 0);
    let mut memory = Vec::new();
    for reading in 1..=READINGS {
        while begun.elapsed() < length / READINGS * reading {
            churn(relay, rounds).await;
            rounds += 1;
        }
        memory.push(relay.memory_kib());
    }
    workload.finish(relay).await;
    let third = memory.len() / 3;
    let (first, last) = (median(&memory[..third]), median(&memory[2 * third..]));
    println!(
        "{rounds} rounds in {:?}: {first} KiB in the first third, {last} KiB in the last",
        begun.elapsed()
    );
    assert!(last as f64 <= first as f64 * GROWTH, "memory grew: {memory:?} KiB");

    let api = relay.api();
    for kind in ["ingest", "watch"] {
        let name = format!("websocket_active_connections{{kind=\"{kind}\"}}");
        until("all sockets to be gone", || async { api.metric(&name).await == Some(0.0) }).await;
    }
    until("handles to be given back", || async { relay.handles() <= handles + KEPT }).await;
    println!("{handles} handles at first, {} in the end", relay.handles());
}

fn median(readings: &[u64]) -> u64 {
    let mut sorted = readings.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}
