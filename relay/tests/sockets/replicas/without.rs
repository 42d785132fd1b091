//! Redis is away, refuses, or was never there.

use std::time::{Duration, Instant};

use mien_relay::store::Store;
use mien_servers::Redis;
use mien_shared::api::SourceName;
use serde_json::Value;

use mien_in_process::{Relay, until};

use super::pair::{linked, pair};

#[tokio::test]
async fn without_redis_acks_come_and_watchers_miss_nothing() {
    let Some(mut redis) = Redis::if_present() else { return };
    let (one, two) = pair(&redis).await;
    let session = one.session().await;
    let (mut source, _) = one.ingest(session).await;
    let (mut watcher, _) = two.watch(session, Value::Null).await;
    let mut next = 1;
    let mut slowest = Duration::ZERO;
    for fault in ["none", "frozen", "thawed", "killed", "back"] {
        match fault {
            "frozen" => redis.freeze(),
            "thawed" => redis.thaw(),
            "killed" => redis.kill(),
            "back" => redis.start_again(),
            _ => {}
        }
        for _ in 0..40 {
            let begun = Instant::now();
            source.send([next]).await;
            source.acked(next).await;
            slowest = slowest.max(begun.elapsed());
            next += 1;
        }
        // New connections are let in as well.
        let begun = Instant::now();
        one.watch(session, Value::Null).await.0.leave().await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{fault}: {:?}", begun.elapsed());
        let until = next - 1;
        assert_eq!(watcher.watched(until).await, (until - 39..=until).collect::<Vec<_>>(), "{fault}");
    }
    assert!(slowest < Duration::from_secs(1), "no ack waits for Redis: {slowest:?}");
    linked(&one).await;
    linked(&two).await;
    source.send([next]).await;
    assert_eq!(watcher.watched(next).await, [next]);
}

/// Says something to Redis, beside the relays.
fn command(redis: &Redis, line: &str) {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", redis.port())).unwrap();
    stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
    assert_eq!(stream.read(&mut [0; 64]).unwrap(), "+OK\r\n".len(), "{line}");
}

#[tokio::test]
async fn a_redis_that_forgot_its_scripts_or_refuses_is_no_trouble() {
    let Some(redis) = Redis::if_present() else { return };
    let (one, two) = pair(&redis).await;
    let session = one.session().await;
    let (mut source, _) = one.ingest(session).await;
    let (mut watcher, _) = two.watch(session, Value::Null).await;
    let mut next = 1;
    for line in ["SCRIPT FLUSH", "FLUSHALL", "CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"] {
        command(&redis, line);
        for _ in 0..3 {
            source.send(next..next + 5).await;
            source.acked(next + 4).await;
            assert_eq!(watcher.watched(next + 4).await, (next..next + 5).collect::<Vec<_>>(), "{line}");
            next += 5;
        }
    }
    // All is as before.
    let main = SourceName::default();
    until(async || {
        source.send([next]).await;
        source.acked(next).await;
        next += 1;
        !two.state.replicas.recent(session, &main, next - 2).await.is_empty()
    })
    .await;
}

#[tokio::test]
async fn tls_is_spoken_where_it_is_asked_for() {
    let Some(redis) = Redis::if_present() else { return };
    let ask = async |url: String| {
        mien_relay::replicas::redis::Redis::new(
            &url.parse().unwrap(),
            mien_relay::observe::metrics::Metrics::new(),
        )
        .ask()
        .await
    };
    assert!(ask(redis.url()).await.is_ok());
    // This one speaks no TLS, so nothing is said to it.
    assert!(ask(format!("rediss://127.0.0.1:{}", redis.port())).await.is_err());
}

#[tokio::test]
async fn relays_without_redis_look_at_the_store() {
    let one = Relay::start().await;
    if matches!(one.state.store, Store::Sqlite(_)) {
        // It belongs to one process, so there is nobody to look for.
        return;
    }
    let two = one.beside(|_| {}).await;
    let session = one.session().await;
    let (mut source, _) = one.ingest(session).await;
    let (mut watcher, _) = two.watch(session, Value::Null).await;
    for n in 0..10 {
        source.send(n * 10 + 1..=n * 10 + 10).await;
        source.acked(n * 10 + 10).await;
    }
    assert_eq!(watcher.watched(100).await, (1..=100).collect::<Vec<_>>());
    // The source moves; the connection that it leaves behind is not told, and does no harm.
    let (mut moved, welcome) = two.ingest(session).await;
    assert_eq!(welcome["through"], 100);
    moved.send(101..=110).await;
    moved.acked(110).await;
    source.send(101..=110).await;
    source.acked(110).await;
    assert_eq!(watcher.watched(110).await, (101..=110).collect::<Vec<_>>());
    one.complete(session).await;
    assert_eq!(watcher.close_code().await, 1000);
}

#[tokio::test]
async fn it_starts_without_redis_and_finds_it_later() {
    let Some(mut redis) = Redis::if_present() else { return };
    redis.kill();
    let one = Relay::start_with(&["--redis-url", &redis.url()]).await;
    let session = one.session().await;
    let (mut source, _) = one.ingest(session).await;
    source.send(1..=3).await;
    source.acked(3).await;
    assert!(one.state.ready().await.is_ok());
    redis.start_again();
    linked(&one).await;
}
