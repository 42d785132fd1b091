//! SQLite's file is moved, replaced or deleted under the relay.

use mien_kit::load::Load;
use mien_kit::relay::Relay;
use mien_kit::until;

use crate::workload::Workload;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_moved_is_told_and_nothing_is_acked_until_it_is_back() {
    let relay = Relay::start_over_sqlite().await;
    let api = relay.api();
    let mut workload = Workload::start(&relay, &[Load::STEADY; 2], 1).await;
    workload.acked_more(50).await;
    for name in ["mien.db", "mien.db-wal"] {
        let (file, aside) = (relay.folder().join(name), relay.folder().join("aside"));
        std::fs::rename(&file, &aside).unwrap();
        until("the relay to be no longer ready", || async { api.ready().await == Some(503) }).await;
        assert_eq!(api.status("/healthz").await, Some(200), "the process itself is well");
        let detail = api.call("GET", "/readyz", None).await.unwrap().text();
        assert!(detail.contains("was moved, replaced or deleted"), "{detail}");
        let told = format!("{name} is no longer the file that is open");
        let said = relay.said();
        // Apart from what is logged about samples and requests that have to wait.
        let lines = said.lines().filter(|line| line.contains("store::sqlite::files") && line.contains(&told));
        assert_eq!(lines.count(), 1, "{said}");
        std::fs::rename(&aside, &file).unwrap();
        until("the relay to be ready again", || async { api.ready().await == Some(200) }).await;
        workload.acked_more(100).await;
    }
    workload.finish(&relay).await;
}

/// What was acked before is in the file that was moved; the sources keep the rest until the relay has the file again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acked_outlives_a_file_that_was_moved_and_a_relay_that_was_killed() {
    let mut relay = Relay::start_over_sqlite().await;
    let api = relay.api();
    let mut workload = Workload::start(&relay, &[Load::STEADY; 2], 1).await;
    workload.acked_more(50).await;
    let aside = relay.folder().join("aside");
    std::fs::create_dir(&aside).unwrap();
    let names = ["mien.db", "mien.db-wal", "mien.db-shm"];
    for name in names {
        std::fs::rename(relay.folder().join(name), aside.join(name)).unwrap();
    }
    until("the relay to be no longer ready", || async { api.ready().await == Some(503) }).await;
    assert!(!relay.folder().join("mien.db").exists(), "an empty one was made in its place");
    relay.kill().await;
    for name in names {
        std::fs::rename(aside.join(name), relay.folder().join(name)).unwrap();
    }
    relay.restart().await;
    workload.acked_more(50).await;
    workload.finish(&relay).await;
}
