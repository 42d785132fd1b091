//! The relay ends under load: on request, or killed.

use mien_kit::load::Load;
use mien_kit::relay::Relay;
use mien_kit::until;
use mien_servers::missing::leave_out;
use rustix::process::Signal;

use crate::workload::Workload;

const LOADS: [Load; 4] = [Load::FAST, Load::FAST, Load::STEADY, Load::STEADY];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_is_asked_to_end_acks_what_it_took_and_says_goodbye_to_all() {
    ends_in_order(Signal::TERM).await;
}

/// The signal that a closing terminal sends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hangup_ends_a_relay_in_order_too() {
    if ignores_hangup() {
        // The relay inherits that, and then stays, as it should.
        return leave_out("SIGHUP is ignored here, as under `nohup`");
    }
    ends_in_order(Signal::HUP).await;
}

/// `SigIgn:` is a bit for each signal, in hexadecimal; SIGHUP is number 1.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 != 0)
}

async fn ends_in_order(signal: Signal) {
    let mut relay = Relay::start().await;
    let mut workload = Workload::start(&relay, &LOADS, 3).await;
    workload.acked_more(200).await;

    relay.signal(signal);
    // Success means within MIEN_SHUTDOWN_SECONDS: it would fail if it had to cut someone off.
    let ended = relay.ended().await;
    assert!(ended.success(), "{ended}\n{}", relay.said());
    // A client reads the close frame whenever it arrives.
    until("every client to have heard it", || {
        let told = workload.sources.iter().all(|source| !source.closes().is_empty())
            && workload.watchers.iter().all(|watcher| !watcher.closes().is_empty());
        async move { told }
    })
    .await;

    relay.restart().await;
    workload.acked_more(200).await;
    let (accounts, watchers) = workload.finish(&relay).await;
    for account in accounts {
        assert_eq!(account.closes[0], 1012, "{}", account.source);
    }
    assert!(watchers.iter().all(|closes| *closes == [1012]), "{watchers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_is_killed_loses_nothing_that_it_acked() {
    const KILLS: usize = 3;
    let mut relay = Relay::start().await;
    let mut workload = Workload::start(&relay, &LOADS, 3).await;
    for _ in 0..KILLS {
        workload.acked_more(200).await;
        relay.kill().await;
        relay.restart().await;
    }
    workload.acked_more(200).await;
    let (accounts, _) = workload.finish(&relay).await;
    for account in accounts {
        assert!(account.closes.iter().filter(|code| **code == 1006).count() >= KILLS, "{:?}", account.closes);
    }
}
