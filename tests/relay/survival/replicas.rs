//! Two relays over one store: sources move from one to the other in mid-stream, with watchers on both.

use mien_kit::database::Database;
use mien_kit::load::Load;
use mien_kit::relay::Relay;
use mien_servers::Redis;

use crate::workload::Workload;

const MOVES: usize = 6;

async fn moves(settings: &[(&'static str, &str)]) {
    let Some(database) = Database::postgres() else { return };
    let mut one = Relay::start_over(database.url(), settings).await;
    let two = Relay::start_over(database.url(), settings).await;
    let mut workload = Workload::start(&one, &[Load::FAST, Load::STEADY], 1).await;
    workload.watch(&two);
    for round in 0..MOVES {
        workload.acked_more(100).await;
        let next = if round % 2 == 0 { &two } else { &one };
        for source in &workload.sources {
            source.move_to(next.address());
        }
        workload.watchers[0].move_to(next.address());
    }
    workload.acked_more(100).await;
    // The relay that they are connected to dies, and they continue with the other one.
    one.kill().await;
    for source in &workload.sources {
        source.move_to(two.address());
    }
    workload.watchers[0].move_to(two.address());
    workload.acked_more(100).await;
    workload.finish(&two).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_and_watchers_move_between_two_relays() {
    let Some(redis) = Redis::if_present() else { return };
    moves(&[("MIEN_REDIS_URL", &redis.url())]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_and_watchers_move_between_two_relays_without_redis() {
    moves(&[]).await;
}
