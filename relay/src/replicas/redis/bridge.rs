//! Links the hub and the cache with the other relays, for as long as the relay runs.
//!
//! When the connection breaks, nothing is guessed: caches are emptied, and watched sessions are read from the store.

use std::time::Duration;

use redis::RedisError;
use uuid::Uuid;

use super::client::Redis;
use super::exchange::Exchange;
use super::link_state::LinkState;
use super::subscriber::Subscriber;
use crate::live::Hub;
use crate::replicas::cache::Cache;

/// Between attempts to connect.
const RETRY: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(crate) struct Bridge {
    pub(crate) redis: Redis,
    pub(crate) hub: Hub,
    pub(crate) cache: Cache,
    pub(crate) state: LinkState,
}

impl Bridge {
    /// Runs for ever.
    pub(crate) async fn run(self) {
        let relay = Uuid::now_v7();
        loop {
            if let Some(link) = self.hub.link() {
                // All sessions are announced once connected.
                link.dirty.try_take();
            }
            let cause = match Subscriber::connect(&self.redis).await {
                Ok(subscriber) => self.exchange(subscriber, relay).await,
                Err(cause) => cause,
            };
            if *self.state.connected.borrow() {
                tracing::warn!(%cause, "the connection to the other relays broke; reading the store instead");
            }
            self.state.set_connected(false);
            self.redis.doubt();
            self.cache.forget_all();
            for live in self.hub.all() {
                live.expire_remote_presence();
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Ends with the connection.
    async fn exchange(&self, subscriber: Subscriber, relay: Uuid) -> RedisError {
        let Self { redis, hub, cache, state } = self;
        match Exchange::new(redis, hub, cache, state, subscriber, relay).run().await {
            Ok(never) => match never {},
            Err(cause) => cause,
        }
    }
}
