//! Postgres is stopped or frozen under load.

use std::time::Instant;

use mien_kit::load::Load;
use mien_kit::relay::Relay;
use mien_kit::{postgres, until};

use crate::workload::Workload;

/// Samples that each steady source makes while the store is away: five seconds' worth.
const BACKLOG: u64 = 500;
/// Maximum memory that the relay holds while the store is away, as a multiple of what it held before.
const GROWTH: f64 = 1.5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_stops_or_freezes_costs_no_sample_and_little_memory() {
    let Some(mut postgres) = postgres() else { return };
    let url = postgres.database();
    let relay = Relay::start_over(&url, &[]).await;
    let api = relay.api();
    let mut loads = [Load::STEADY; 6];
    // Two that send as fast as they can.
    loads[..2].fill(Load { window: 32, ..Load::FAST });
    let mut workload = Workload::start(&relay, &loads, 2).await;
    workload.acked_more(300).await;

    for (what, frozen) in [("stopped", false), ("frozen", true), ("killed", false)] {
        let before = relay.memory_kib();
        match what {
            "stopped" => postgres.stop(),
            "killed" => postgres.kill(),
            _ => postgres.freeze(),
        }
        let begun = Instant::now();
        until("the relay to be no longer ready", || async { api.ready().await == Some(503) }).await;
        assert_eq!(api.status("/healthz").await, Some(200), "the process itself is well");
        // Long enough for queues to fill.
        let goals: Vec<u64> = workload.sources[2..].iter().map(|source| source.made() + BACKLOG).collect();
        until("samples to pile up", async || {
            workload.sources[2..].iter().zip(&goals).all(|(source, goal)| source.made() >= *goal)
        })
        .await;
        let meanwhile = relay.memory_kib();
        println!("{what} for {:?}: {before} KiB before, {meanwhile} KiB meanwhile", begun.elapsed());
        assert!(meanwhile as f64 <= before as f64 * GROWTH, "{before} KiB became {meanwhile}");
        if frozen {
            postgres.thaw()
        } else {
            postgres.start_again()
        }
        until("the relay to be ready again", || async { api.ready().await == Some(200) }).await;
        workload.acked_more(300).await;
    }
    workload.finish(&relay).await;
}
