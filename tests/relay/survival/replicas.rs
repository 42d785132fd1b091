//! Two relays over one store: sources move from one to the other in mid-stream, watchers are on both.

use mien_kit::database::Database;
use mien_kit::load::Load;
use mien_kit::relay::Relay;
use mien_servers::Redis;

use crate::stage::Stage;

const MOVES: usize = 6;

async fn moves(settings: &[(&'static str, &str)]) {
    let Some(database) = Database::postgres() else { return println!("skipped: there is no Postgres") };
    let mut one = Relay::start_over(database.url(), settings).await;
    let two = Relay::start_over(database.url(), settings).await;
    let mut stage = Stage::set(&one, &[Load::FAST, Load::STEADY], 1).await;
    stage.watch(&two);
    for round in 0..MOVES {
        stage.acked_more(100).await;
        let next = if round % 2 == 0 { &two } else { &one };
        for source in &stage.sources {
            source.move_to(next.address());
        }
        stage.watchers[0].move_to(next.address());
    }
    stage.acked_more(100).await;
    // The relay that they are on dies, and they go on with the other.
    one.kill().await;
    for source in &stage.sources {
        source.move_to(two.address());
    }
    stage.watchers[0].move_to(two.address());
    stage.acked_more(100).await;
    stage.clear(&two).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_and_watchers_move_between_two_relays() {
    let Some(redis) = Redis::if_present() else { return println!("skipped: there is no Redis") };
    moves(&[("MIEN_REDIS_URL", &redis.url())]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_and_watchers_move_between_two_relays_without_redis() {
    moves(&[]).await;
}
