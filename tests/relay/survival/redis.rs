//! Redis is killed or frozen: that costs speed, and nothing else.

use std::time::Duration;

use mien_kit::database::Database;
use mien_kit::load::{Load, median, p99};
use mien_kit::relay::Relay;
use mien_kit::socket::{Kind, connect, hear, say};
use mien_kit::source::Source;
use mien_kit::until;
use mien_servers::Redis;
use mien_shared::protocol::{IngestReply, IngestRequest};

use crate::workload::Workload;

/// Samples that each source gets acked while Redis is away: five seconds' worth, longer than any of the relay's
/// timeouts for it.
const MEANWHILE: u64 = 500;
/// How much slower half of the acks may be while Redis is away, including what a machine that is busy with other things
/// may add. An ack that waited for Redis would take 3 s longer, or at least the 25 ms after which the relay gives up on
/// it.
const SLACK: Duration = Duration::from_millis(20);

async fn linked(relay: &Relay) {
    let api = relay.api();
    until("the relays to hear each other through Redis", || async {
        api.metric("redis_up").await == Some(1.0) && api.metric("redis_linked").await == Some(1.0)
    })
    .await;
}

/// A client that sends more than its share is told so.
async fn limits_hold(relay: &Relay) {
    let session = relay.api_of("greedy").await.create_session().await;
    let mut socket = connect(relay.address(), session.session.id, Kind::Ingest, None).await.unwrap();
    say(&mut socket, &IngestRequest::Hello { token: &session.tokens.ingest }).await.unwrap();
    let load = Load { batch: 250, faces: 0, ..Load::FAST };
    for round in 0..20 {
        mien_kit::load::push(&mut socket, load, 1 + round * load.batch).await.unwrap();
    }
    loop {
        if let IngestReply::Throttle { .. } = hear::<IngestReply>(&mut socket).await.unwrap() {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_acks_come_limits_hold_and_watchers_miss_nothing() {
    let Some(mut redis) = Redis::if_present() else { return };
    let Some(database) = Database::postgres() else { return };
    let url = redis.url();
    // Two steady sources together send two hundred samples a second.
    let settings = [
        ("MIEN_REDIS_URL", url.as_str()),
        ("MIEN_SAMPLES_PER_SECOND", "800"),
        ("MIEN_SAMPLES_BURST", "4000"),
    ];
    let here = Relay::start_over(database.url(), &settings).await;
    let there = Relay::start_over(database.url(), &settings).await;
    linked(&here).await;
    linked(&there).await;
    let mut workload = Workload::start(&here, &[Load::STEADY; 2], 1).await;
    workload.watch(&there);
    workload.acked_more(100).await;
    let with = latencies(&workload);
    println!("ack p50 {:?} and p99 {:?} with Redis", median(&with), p99(&with));

    for (what, frozen) in [("killed", false), ("frozen", true)] {
        if frozen {
            redis.freeze()
        } else {
            redis.kill()
        }
        workload.acked_more(MEANWHILE).await;
        let without = latencies(&workload);
        println!("ack p50 {:?} and p99 {:?} while Redis is {what}", median(&without), p99(&without));
        assert!(median(&without) < 2 * median(&with) + SLACK, "acks wait for a Redis that is {what}");
        limits_hold(&there).await;
        assert_eq!((here.api().ready().await, there.api().ready().await), (Some(200), Some(200)));
        // What is acked during that time also appears on the other relay during that time.
        for number in 0..workload.sources.len() {
            let acked = workload.sources[number].acked();
            workload.watchers[1].sees(&format!("source-{number}"), acked).await;
        }
        if frozen {
            redis.thaw()
        } else {
            redis.start_again()
        }
        linked(&here).await;
        linked(&there).await;
        workload.acked_more(100).await;
    }
    workload.finish(&here).await;
}

fn latencies(workload: &Workload) -> Vec<Duration> {
    workload.sources.iter().flat_map(Source::take_latencies).collect()
}
