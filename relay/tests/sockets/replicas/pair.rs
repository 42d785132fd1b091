//! Relays in one process that hear each other through a Redis.

use mien_in_process::{Relay, until};
use mien_servers::Redis;

/// Two relays that hear each other.
pub(crate) async fn pair(redis: &Redis) -> (Relay, Relay) {
    let url = redis.url();
    let one = Relay::start_with(&["--redis-url", &url]).await;
    let two = one.beside(|_| {}).await;
    linked(&one).await;
    linked(&two).await;
    (one, two)
}

pub(crate) async fn linked(relay: &Relay) {
    until(async || {
        let metrics = relay.state.render_metrics();
        metrics.contains("redis_up 1") && metrics.contains("redis_linked 1")
    })
    .await;
}

pub(crate) fn counter(relay: &Relay, series: &str) -> u64 {
    let metrics = relay.state.render_metrics();
    let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap().parse().unwrap()
}
