//! The disk under SQLite is full.

use mien_kit::load::Load;
use mien_kit::relay::{Confinement, Relay, Setup};
use mien_kit::tmpfs::Tmpfs;
use mien_kit::until;

use crate::workload::Workload;

/// Enough for an empty database, its log and a minute of [`LOADS`]: only the ballast is meant to fill it.
const DISK_BYTES: u64 = 24 * 1024 * 1024;
/// Paced, as a source that sends as fast as it can would fill any disk on a fast machine.
const LOADS: [Load; 2] = [Load::STEADY, Load { batch: 20, faces: 8, ..Load::STEADY }];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_and_nothing_is_acked_that_is_not_stored() {
    let Some(disk) = Tmpfs::make(DISK_BYTES).await else { return };
    let setup = Setup { confinement: Confinement::Tmpfs(disk), ..Setup::default() };
    let mut relay = Relay::start_as(setup, &[]).await;
    let api = relay.api();
    let mut workload = Workload::start(&relay, &LOADS, 2).await;
    workload.acked_more(50).await;

    relay.tmpfs().fill();
    until("the relay to be no longer ready", || async { api.ready().await == Some(503) }).await;
    assert_eq!(api.status("/healthz").await, Some(200), "the process itself is well");
    assert!(relay.said().contains("the disk that holds the database is full"), "{}", relay.said());
    let failures = api.metric("store_errors_total{kind=\"full\"}").await;
    assert!(failures.is_some_and(|failures| failures > 0.0), "{failures:?}");
    let answer =
        api.call("POST", "/api/v1/sessions", Some(&serde_json::json!({}))).await.expect("it answers");
    let (status, text) = (answer.status.as_u16(), answer.text());
    // Something this small may still fit into the log, in space left by a failed batch.
    assert!(status == 201 || (status == 503 && text.contains("store_unavailable")), "{status} {text}");
    // What is acked now cannot grow: there is no room for it.
    let acked: Vec<u64> = workload.sources.iter().map(|source| source.acked()).collect();
    let stored = api.stored(workload.id()).await;
    for (number, acked) in acked.iter().enumerate() {
        let name = format!("source-{number}");
        let seqs: Vec<u64> =
            stored.iter().filter(|one| one.source.as_str() == name).map(|one| one.sample.seq).collect();
        assert!(seqs.len() as u64 >= *acked, "{name}: {acked} acked, {} stored", seqs.len());
    }

    relay.tmpfs().empty();
    until("the relay to be ready again", || async { api.ready().await == Some(200) }).await;
    workload.acked_more(200).await;
    // And what it wrote in the meantime survives a kill.
    relay.kill().await;
    relay.restart().await;
    workload.acked_more(20).await;
    workload.finish(&relay).await;
}
