//! Comings and goings for a while: nothing may pile up.

use std::time::{Duration, Instant};

use mien_faults::load::Load;
use mien_faults::relay::Relay;
use mien_faults::socket::{Kind, connect, hear, say};
use mien_faults::source::Source;
use mien_faults::until;
use mien_faults::watcher::{Pace, Watcher};
use mien_shared::protocol::{IngestRequest, WatchReply, WatchRequest};

use crate::stage::Stage;

/// Seconds for which it goes on. `MIEN_SOAK_SECONDS=300` is the long one.
const SECONDS: &str = "MIEN_SOAK_SECONDS";
const DEFAULT_SECONDS: u64 = 15;
/// What memory may grow by after the first rounds, in KiB: the database's cache and the allocator's habits,
/// but no connection's leavings.
const GROWTH_KIB: u64 = 24 * 1024;

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
    // Some go with a goodbye, some without, some never said hello, some at once after it.
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
        1 => {
            let erased = api.call("DELETE", &format!("/api/v1/sessions/{id}"), None).await;
            assert_eq!(erased.map(|(status, _)| status), Some(204));
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_and_handles_stay_flat_while_clients_come_and_go() {
    let seconds = std::env::var(SECONDS).map_or(DEFAULT_SECONDS, |text| text.parse().expect("seconds"));
    let relay = Relay::start().await;
    let handles = relay.handles();
    // Two who stay all the while.
    let stage = Stage::set(&relay, &[Load::STEADY; 2], 2).await;
    let begun = Instant::now();
    let mut rounds = 0;
    let mut settled = None;
    while begun.elapsed() < Duration::from_secs(seconds) || rounds < 6 {
        churn(&relay, rounds).await;
        rounds += 1;
        // A third of the time is for caches to fill.
        if settled.is_none() && rounds >= 3 && begun.elapsed() >= Duration::from_secs(seconds / 3) {
            settled = Some(relay.memory_kib());
        }
    }
    stage.clear(&relay).await;
    let (settled, ended) = (settled.expect("three rounds"), relay.memory_kib());
    println!(
        "{rounds} rounds: {settled} KiB after a third, {ended} KiB at the end, {handles} handles at first"
    );
    assert!(ended <= settled + GROWTH_KIB, "memory grew from {settled} to {ended} KiB");

    let api = relay.api();
    for kind in ["ingest", "watch"] {
        let name = format!("websocket_active_connections{{kind=\"{kind}\"}}");
        until("all sockets to be gone", || async { api.metric(&name).await == Some(0.0) }).await;
    }
    // The store keeps some connections open for who comes next; each is up to three handles.
    let kept = 3 * 25;
    until("handles to be given back", || async { relay.handles() <= handles + kept }).await;
    println!("{} handles in the end", relay.handles());
}
