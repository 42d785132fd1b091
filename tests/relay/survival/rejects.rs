//! Refused samples affect nothing but themselves.

use std::collections::BTreeSet;

use mien_kit::load::Load;
use mien_kit::relay::Relay;

use crate::workload::Workload;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejected_samples_cost_only_themselves_also_over_a_restart() {
    let mut relay = Relay::start().await;
    let loads = [
        Load { spoiled_every: 7, ..Load::FAST },
        Load { spoiled_every: 2, ..Load::STEADY },
        // None of its samples is good.
        Load { spoiled_every: 1, ..Load::STEADY },
        Load::FAST,
    ];
    let mut workload = Workload::start(&relay, &loads, 2).await;
    workload.acked_more(100).await;
    relay.kill().await;
    relay.restart().await;
    workload.acked_more(100).await;
    let (accounts, _) = workload.finish(&relay).await;
    for account in accounts {
        let told: BTreeSet<u64> = account.rejected.keys().copied().collect();
        let spoiled: BTreeSet<u64> = (1..=account.made).filter(|seq| account.load.is_spoiled(*seq)).collect();
        // A reject that was in flight when the relay was killed is not sent again: the seq counts as answered.
        let untold = spoiled.difference(&told).count();
        let on_the_way = account.load.window * 256;
        assert!(told.is_subset(&spoiled) && untold <= on_the_way, "{}: {untold} untold", account.source);
    }
}
