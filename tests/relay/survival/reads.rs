//! One share link that requests everything, again and again: it gets its share, and everyone else theirs.
//!
//! The figures that these tests print go into the docs, for the sizes given in the environment.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mien_kit::api::Api;
use mien_kit::fill::fill;
use mien_kit::load::median;
use mien_kit::relay::Relay;
use mien_shared::api::{SessionCreated, Summary};
use tokio::task::JoinSet;

use crate::hostile::beside;

/// A number from the environment, or the one that CI uses.
fn size(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn of(relay: &Relay, token: &str) -> Api {
    Api { address: relay.address(), token: Some(token.to_owned()) }
}

fn path(session: &SessionCreated, tail: &str) -> String {
    format!("/api/v1/sessions/{}/{tail}", session.session.id)
}

/// The peak use of the relay while it was observed.
#[derive(Default)]
struct Peak {
    memory_kib: AtomicU64,
    threads: AtomicU64,
}

impl Peak {
    async fn watch(&self, relay: &Relay) {
        loop {
            self.memory_kib.fetch_max(relay.memory_kib(), Ordering::Relaxed);
            self.threads.fetch_max(relay.threads(), Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn get(&self) -> (u64, u64) {
        (self.memory_kib.load(Ordering::Relaxed) / 1_024, self.threads.load(Ordering::Relaxed))
    }
}

/// As long as anyone waits for an answer.
const WAIT: Duration = Duration::from_mins(1);

async fn ask(api: &Api, path: &str) -> Option<u16> {
    tokio::time::timeout(WAIT, api.status(path)).await.ok().flatten()
}

/// How long the relay takes to report that it is alive, and to answer the session's owner; runs until cancelled.
async fn feel_pulse(api: &Api, path: &str, beats: &mut Vec<(Option<u16>, Duration)>) {
    loop {
        let asked = Instant::now();
        let status = ask(api, path).await;
        beats.push((status, asked.elapsed()));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn told(beats: &[(Option<u16>, Duration)]) -> String {
    let answered = beats.iter().filter(|(status, _)| *status == Some(200)).count();
    let times: Vec<Duration> = beats.iter().map(|(_, time)| *time).collect();
    let most = times.iter().max().copied().unwrap_or_default();
    format!(
        "answered {answered} of {}, after {:?} at the median and {most:?} at the most",
        times.len(),
        median(&times)
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_link_that_asks_for_everything_at_once_takes_only_its_share() {
    let samples = size("MIEN_READS_SAMPLES", 100_000);
    let requests = size("MIEN_READS_REQUESTS", 80);
    // Without a pause, unless the environment says otherwise.
    let pause = Duration::from_millis(size("MIEN_READS_PAUSE_MS", 0));
    let relay = Relay::start().await;
    let session = relay.api().create_session().await;
    fill(relay.address(), &session, 1..=samples).await;
    let (memory, threads) = (relay.memory_kib() / 1_024, relay.threads());
    let (guest, owner) = (of(&relay, &session.tokens.watch), of(&relay, &session.tokens.owner));
    let (series, own) = (path(&session, "series?resolution_ms=60000"), path(&session, "samples?limit=10"));

    for (what, path) in [("a series", &series), ("a summary", &path(&session, "summary"))] {
        let asked = Instant::now();
        assert_eq!(guest.status(path).await, Some(200));
        println!("{what} of {samples} samples alone: {:?}", asked.elapsed());
    }

    let (peak, mut health, mut owners) = (Peak::default(), Vec::new(), Vec::new());
    let attack = async {
        let mut asked = JoinSet::new();
        for _ in 0..requests {
            let (guest, series) = (guest.clone(), series.clone());
            asked.spawn(async move { ask(&guest, &series).await });
            tokio::time::sleep(pause).await;
        }
        asked.join_all().await
    };
    let answers = beside("a share link", &relay, async {
        tokio::select! {
            answers = attack => answers,
            () = peak.watch(&relay) => unreachable!(),
            () = feel_pulse(&guest, "/healthz", &mut health) => unreachable!(),
            () = feel_pulse(&owner, &own, &mut owners) => unreachable!(),
        }
    })
    .await;

    let count = |status| answers.iter().filter(|answer| **answer == status).count();
    let (most_memory, most_threads) = peak.get();
    println!(
        "{requests} series of {samples} samples, {pause:?} apart: {} answered, {} told to wait, {} neither; \
         memory {memory} MiB before and {most_memory} at most, threads {threads} and {most_threads}; \
         health {}, the owner {}",
        count(Some(200)),
        count(Some(429)),
        answers.len() - count(Some(200)) - count(Some(429)),
        told(&health),
        told(&owners),
    );
    assert!(
        health.iter().chain(&owners).all(|(status, _)| *status == Some(200)),
        "both are served meanwhile"
    );
    assert!(count(Some(200)) > 0, "the guest is served, too");
    assert_eq!(count(Some(200)) + count(Some(429)), answers.len(), "{answers:?}");
    assert!(most_threads <= threads + 24, "{most_threads} threads");
    assert_eq!(guest.status(&series).await, Some(200), "its places are free again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_summary_of_ever_so_many_gaps_stays_small() {
    const READERS: usize = 30;
    let gaps = size("MIEN_READS_GAPS", 25_000);
    let relay = Relay::start().await;
    let session = relay.api().create_session().await;
    let begun = Instant::now();
    fill(relay.address(), &session, (1..=gaps).map(|gap| gap * 2)).await;
    let (took, memory) = (begun.elapsed(), relay.memory_kib() / 1_024);

    let (api, path) = (relay.api(), path(&session, "summary"));
    let answer = api.call("GET", &path, None).await.unwrap();
    assert_eq!(answer.status.as_u16(), 200);
    let (bytes, after) = (answer.body.len(), relay.memory_kib() / 1_024);
    let peak = Peak::default();
    let asked = async {
        let mut asked = JoinSet::new();
        for _ in 0..READERS {
            let (api, path) = (api.clone(), path.clone());
            asked.spawn(async move { api.status(&path).await });
        }
        asked.join_all().await
    };
    let answers = tokio::select! {
        answers = asked => answers,
        () = peak.watch(&relay) => unreachable!(),
    };
    println!(
        "{gaps} gaps, stored in {took:?}: a summary has {bytes} bytes; memory {memory} MiB before it, {after} after, \
         and {} at most while {READERS} ask for it ({} answered)",
        peak.get().0,
        answers.iter().filter(|answer| **answer == Some(200)).count(),
    );
    assert!(answers.iter().all(|answer| matches!(answer, Some(200 | 429))), "{answers:?}");
    assert!(bytes < 32 * 1_024, "{bytes} bytes");
    let source = serde_json::from_slice::<Summary>(&answer.body).unwrap().sources.remove(0);
    assert_eq!((source.stored, source.gaps.len(), source.gaps_merged), (gaps, 1_000, gaps > 10_000));
    assert_eq!(source.gaps_total, gaps.min(10_000));
}
