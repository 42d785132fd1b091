//! A watcher that does not read for a while.

use std::time::{Duration, Instant};

use mien_kit::load::Load;
use mien_kit::relay::Relay;
use mien_kit::watcher::{Pace, Watcher};

use crate::hostile::are_not_delayed;
use crate::workload::Workload;

/// Approximate size of a face as JSON, in bytes.
const FACE_BYTES: u64 = 130;

/// Minimum time for which it does not read.
const HELD: Duration = Duration::from_secs(10);

/// Fills every buffer between the relay and a peer that does not read, several times over.
fn more_than_fits() -> u64 {
    let limits = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_wmem").unwrap_or_default();
    let most = limits.split_whitespace().last().and_then(|bytes| bytes.parse().ok()).unwrap_or(4_194_304);
    2 * most + 4_000_000
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_that_stops_reading_delays_nobody_and_then_receives_everything() {
    const LOAD: Load = Load { batch: 25, faces: 16, window: 4, ..Load::FAST };
    let relay = Relay::start().await;
    let mut workload = Workload::start(&relay, &[LOAD], 1).await;
    workload.acked_more(500).await;
    let alone = workload.sources[0].take_latencies();
    let watch = workload.session.tokens.watch.clone();
    let mut slow = Watcher::start(relay.address(), workload.id(), &watch, Pace::Held);

    // So much that no buffer in between can hold it. The eager watcher keeps up in the meantime.
    let samples = more_than_fits() / (FACE_BYTES * LOAD.faces as u64);
    let (held, mut goal) = (Instant::now(), workload.sources[0].acked() + samples);
    workload.sources[0].acked_to(goal).await;
    while held.elapsed() < HELD {
        goal = workload.sources[0].acked() + 1;
        workload.sources[0].acked_to(goal).await;
    }
    let beside = workload.sources[0].take_latencies();
    workload.watchers[0].sees("source-0", goal).await;
    assert_eq!(slow.count(), 0, "it has not read");
    are_not_delayed("a watcher that does not read", &alone, &beside);

    slow.read_on();
    slow.sees("source-0", goal).await;
    workload.watchers.push(slow);
    let (_, closes) = workload.finish(&relay).await;
    assert!(closes.iter().all(Vec::is_empty), "nobody was cut off: {closes:?}");
    assert_eq!(relay.api().metric("watch_lag_samples").await, Some(0.0));
}
