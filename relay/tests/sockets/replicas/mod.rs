//! Two relays over one store, with a real Redis between them that is killed, frozen and started again.

mod forged;
pub(crate) mod pair;
mod without;

use std::time::{Duration, Instant};

use mien_relay::config::Rate;
use mien_relay::store::Found;
use mien_servers::Redis;
use mien_shared::SessionId;
use mien_shared::api::{PatchSession, SourceName};
use serde_json::{Value, json};

use mien_in_process::client::Client;
use mien_in_process::{Relay, until};

use self::pair::{counter, linked, pair};

async fn present(watcher: &mut Client, sources: Value, watchers: u64) {
    loop {
        let message = watcher.hear_type("presence").await;
        if message["sources"] == sources && message["watchers"] == watchers {
            return;
        }
    }
}

#[tokio::test]
async fn a_watcher_elsewhere_sees_all_that_is_committed_once() {
    let Some(redis) = Redis::if_present() else { return };
    let (one, two) = pair(&redis).await;
    let session = one.session().await;
    let (mut source, _) = one.ingest(session).await;
    source.send(1..=10).await;
    source.acked(10).await;
    let (mut live, _) = two.watch(session, Value::Null).await;
    let (mut all, _) = two.watch(session, json!({})).await;
    for n in 1..100 {
        source.send(n * 10 + 1..=n * 10 + 10).await;
    }
    source.acked(1_000).await;
    assert_eq!(live.watched(1_000).await, (11..=1_000).collect::<Vec<_>>());
    assert_eq!(all.watched(1_000).await, (1..=1_000).collect::<Vec<_>>());
    // Far sooner than the store is looked at again.
    let begun = Instant::now();
    for seq in 1_001..=1_050 {
        source.send([seq]).await;
        assert_eq!(live.watched(seq).await, [seq]);
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

/// Whoever is told how far a session has come asks another relay than its sources.
#[tokio::test]
async fn a_welcome_elsewhere_says_how_far_the_sources_have_come() {
    let Some(redis) = Redis::if_present() else { return };
    let (one, two) = pair(&redis).await;
    let session = one.session().await;
    let (mut source, _) = one.ingest(session).await;
    let (mut side, _) = two.ingest_as(session, "cam-2").await;
    for last in [10, 20, 30] {
        source.send(last - 9..=last).await;
        source.acked(last).await;
        side.send([last]).await;
        side.acked(last).await;
        let told = json!({"main": last, "cam-2": last});
        for relay in [&one, &two] {
            let (watcher, welcome) = relay.watch(session, Value::Null).await;
            assert_eq!(welcome["throughs"], told);
            watcher.leave().await;
        }
    }
    let (mut watcher, welcome) = two.watch(session, json!({"main": 25, "cam-2": 30})).await;
    assert_eq!(welcome["throughs"], json!({"main": 30, "cam-2": 30}));
    assert_eq!(watcher.watched(30).await, [26, 27, 28, 29, 30]);
}

#[tokio::test]
async fn presence_counts_both_relays() {
    let Some(redis) = Redis::if_present() else { return };
    let (one, two) = pair(&redis).await;
    let session = one.session().await;
    let (mut here, _) = one.watch(session, Value::Null).await;
    let (source, _) = two.ingest_as(session, "cam-2").await;
    present(&mut here, json!(["cam-2"]), 1).await;
    let (mut there, welcome) = two.watch(session, Value::Null).await;
    present(&mut here, json!(["cam-2"]), 2).await;
    if welcome["watchers"] != 2 {
        present(&mut there, json!(["cam-2"]), 2).await;
    }
    source.leave().await;
    present(&mut there, json!([]), 2).await;
    here.leave().await;
    present(&mut there, json!([]), 1).await;
}

#[tokio::test]
async fn a_source_that_moves_supersedes_itself() {
    let Some(redis) = Redis::if_present() else { return };
    let (one, two) = pair(&redis).await;
    let session = one.session().await;
    let (mut watcher, _) = one.watch(session, Value::Null).await;
    let mut next = 1;
    let mut before: Option<Client> = None;
    for round in 0..6 {
        let relay = if round % 2 == 0 { &one } else { &two };
        let (mut source, welcome) = relay.ingest(session).await;
        assert_eq!(welcome["through"], next - 1);
        if let Some(mut before) = before.take() {
            assert_eq!(before.close_code().await, 4409);
        }
        source.send(next..next + 20).await;
        source.acked(next + 19).await;
        next += 20;
        before = Some(source);
    }
    assert_eq!(watcher.watched(next - 1).await, (1..next).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_one_relay_ends_is_ended_on_the_other() {
    let Some(redis) = Redis::if_present() else { return };
    let (one, two) = pair(&redis).await;
    let session = one.session().await;
    let (mut source, _) = one.ingest(session).await;
    let (mut watcher, _) = two.watch(session, Value::Null).await;
    source.send(1..=5).await;
    source.acked(5).await;
    two.complete(session).await;
    assert_eq!(source.close_code().await, 4410);
    let (code, messages) = watcher.closed().await;
    assert_eq!(code, 1000);
    assert_eq!(messages.last().unwrap(), &json!({"type": "session", "status": "completed"}));

    let session = one.session().await;
    let (mut source, _) = one.ingest(session).await;
    let (mut watcher, _) = two.watch(session, Value::Null).await;
    source.send(1..=5).await;
    source.acked(5).await;
    one.state.erase_session(session).await.unwrap();
    assert_eq!(source.close_code().await, 4410);
    assert_eq!(watcher.close_code().await, 4410);
    let main = SourceName::default();
    until(async || one.state.replicas.recent(session, &main, 0).await.is_empty()).await;
}

#[tokio::test]
async fn caches_ask_once_and_forget_what_changed_elsewhere() {
    let Some(redis) = Redis::if_present() else { return };
    let (one, two) = pair(&redis).await;
    let session = one.session().await;
    let hit =
        |relay, level| counter(relay, &format!("cache_requests_total{{level=\"{level}\",outcome=\"hit\"}}"));
    let miss =
        |relay, level| counter(relay, &format!("cache_requests_total{{level=\"{level}\",outcome=\"miss\"}}"));
    let find = async |relay: &Relay, id| relay.state.cache.find(&relay.state.store, id).await.unwrap();

    let all = (0..50).map(|_| find(&one, session));
    futures_util::future::join_all(all).await;
    assert_eq!(miss(&one, "redis"), 1, "one question for all who ask at once");
    assert!(matches!(find(&one, session).await, Found::Here(_)));
    assert!(hit(&one, "memory") >= 1);
    until(async || {
        two.state.cache.forget(session).await;
        find(&two, session).await;
        hit(&two, "redis") > 0
    })
    .await;

    let patch = PatchSession { title: Some("new".into()), status: None };
    one.state.update_session(session, &patch).await.unwrap();
    assert_eq!(one.state.session(session).await.unwrap().title, "new");
    until(async || two.state.session(session).await.unwrap().title == "new").await;
    two.state.erase_session(session).await.unwrap();
    assert_eq!(find(&two, session).await, Found::Erased);
    until(async || find(&one, session).await == Found::Erased).await;

    let nobody = SessionId(uuid::Uuid::now_v7());
    assert_eq!(find(&one, nobody).await, Found::Never);
    let before = hit(&one, "memory");
    assert_eq!(find(&one, nobody).await, Found::Never);
    assert_eq!(hit(&one, "memory"), before + 1, "also that there is none is known for a moment");
}

#[tokio::test]
async fn two_relays_share_one_rate() {
    let Some(mut redis) = Redis::if_present() else { return };
    let slow = Rate { per_second: 1, burst: 100 };
    let url = redis.url();
    let one = Relay::start_changed(&["--redis-url", &url], |config| config.samples = slow).await;
    let two = one.beside(|_| {}).await;
    linked(&one).await;
    linked(&two).await;
    let (here, there) = (&one.state.sample_limiter, &two.state.sample_limiter);
    assert_eq!(here.take_some("a", 90), 90);
    until(async || {
        // Taken and given nothing: it learns with what it takes.
        there.take_some("a", 1);
        there.wait_for("a", 1) > Duration::ZERO
    })
    .await;
    let taken = 90 + 11;
    assert!(there.take_some("a", 100) + taken <= 110, "the slack is small");
    assert_eq!(there.take_some("b", 100), 100, "users do not share");

    redis.kill();
    until(async || counter(&one, "redis_up") == 0 && counter(&two, "redis_up") == 0).await;
    assert_eq!(here.take_some("c", 100), 100, "its own bucket, at once");
    assert_eq!(there.take_some("c", 100), 100);
    redis.start_again();
    linked(&one).await;
    linked(&two).await;
    assert_eq!(here.take_some("d", 100), 100);
    until(async || {
        there.take_some("d", 1);
        there.wait_for("d", 1) > Duration::ZERO
    })
    .await;
}

#[tokio::test]
async fn the_recent_window_serves_who_is_behind() {
    let Some(redis) = Redis::if_present() else { return };
    let (one, two) = pair(&redis).await;
    let session = one.session().await;
    let (mut source, _) = one.ingest(session).await;
    for n in 0..50 {
        source.send(n * 2 + 1..=n * 2 + 2).await;
        source.acked(n * 2 + 2).await;
    }
    let main = SourceName::default();
    until(async || {
        let pieces = two.state.replicas.recent(session, &main, 0).await;
        pieces.last().is_some_and(|piece| piece.through == 100)
    })
    .await;
    until(async || two.state.replicas.recent(session, &main, 98).await.len() == 1).await;
    assert!(two.state.replicas.recent(session, &main, 97).await.is_empty(), "a batch is whole or not there");
    assert!(two.state.replicas.recent(session, &main, 100).await.is_empty());
    let (mut watcher, _) = two.watch(session, json!({"main": 31})).await;
    assert_eq!(watcher.watched(100).await, (32..=100).collect::<Vec<_>>());
}
