//! Finds out when Redis goes away and when it is back.

use std::sync::atomic::Ordering;
use std::time::Duration;

use redis::RedisError;

use super::client::Redis;
use super::pool;

/// Between attempts to reach a Redis that is away.
const PROBE_PAUSE: Duration = Duration::from_millis(250);
/// Between pings to one that is there, and the timeout of each: a stall is noticed even if nobody calls it.
const PING_INTERVAL: Duration = Duration::from_secs(1);
const PING_TIMEOUT: Duration = Duration::from_millis(500);
/// Every this many pings, everything that the relay does there is tried instead, as it may no longer be allowed.
const TRIAL_PINGS: u32 = 5;

impl Redis {
    /// Finds out when a Redis that is away is back. Runs for ever.
    pub async fn probe(self) {
        loop {
            self.watch_pings().await;
            self.0.metrics.redis_up.set(0);
            self.0.refuses.store(false, Ordering::Relaxed);
            let mut told = false;
            while let Err(cause) = self.reach().await {
                // Once per outage, not once per attempt.
                if !std::mem::replace(&mut told, true) {
                    if pool::is_broken(&cause) {
                        tracing::warn!(%cause, "Redis is away; continuing without it");
                    } else {
                        tracing::warn!(%cause, "Redis refuses what relays do there; continuing without it");
                    }
                }
                tokio::time::sleep(PROBE_PAUSE).await;
            }
            if told {
                tracing::info!("Redis is back");
            }
            self.0.metrics.redis_up.set(1);
            self.0.here.send_replace(true);
        }
    }

    /// Returns once it is away.
    async fn watch_pings(&self) {
        let mut here = self.here();
        let mut pings = 0_u32;
        while self.is_here() {
            tokio::select! {
                // The sender is in `self`.
                _ = here.wait_for(|here| !here) => return,
                () = tokio::time::sleep(PING_INTERVAL) => {}
            }
            pings = pings.wrapping_add(1);
            let ping = async {
                if pings.is_multiple_of(TRIAL_PINGS) { self.try_calls().await } else { self.ask().await }
            };
            if !matches!(tokio::time::timeout(PING_TIMEOUT, ping).await, Ok(Ok(()))) {
                self.doubt();
            }
        }
    }

    async fn reach(&self) -> Result<(), RedisError> {
        self.try_all().await?;
        self.0.pool.fill().await
    }
}
