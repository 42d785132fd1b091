//! Redis or Valkey: what relays over one database share, so that they work as one.
//!
//! It is a help and never a need. Nothing that must be right is decided here, no ack waits for it, and a
//! caller who waits for an answer waits [`QUICK`] at most: then it is taken to be away, everyone goes on
//! without it at once, and a probe in the background says when it is back. What is lost meanwhile is read
//! from the store instead.
//!
//! The client is `redis` 1.8 (redis-rs): maintained by several people and released monthly, where `fred`, the
//! other one considered, has had no release for over a year.

mod bridge;
mod limits;
mod message;
mod outbox;
mod pool;
mod scripts;
mod seal;
mod sessions;
mod trial;
mod window;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::{FromRedisValue, Pipeline, RedisError};
use tokio::sync::watch;

use crate::config::RedisUrl;
use crate::observe::metrics::Metrics;
use pool::Pool;

pub use bridge::Bridge;
pub use limits::share as share_limits;
pub use outbox::Outbox;
pub use seal::Seal;
pub use sessions::{Change, Kept, Tell};

/// Patience of a caller for whom someone waits: far above a healthy answer (well below a millisecond), far
/// below what a person notices.
pub const QUICK: Duration = Duration::from_millis(25);
/// Between attempts to reach a Redis that is away.
const PROBE_PAUSE: Duration = Duration::from_millis(250);
/// Between signs of life of one that is there, and patience for each: one that stands still is noticed though
/// nobody asks it anything.
const PULSE: Duration = Duration::from_secs(1);
const PULSE_PATIENCE: Duration = Duration::from_millis(500);
/// At every so many of them it is tried whether all that the relay does is still allowed.
const TRIAL_PULSES: u32 = 5;

/// The way to Redis. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Redis(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: Pool,
    seal: Seal,
    /// Whether calls may be made.
    here: watch::Sender<bool>,
    /// Whether the log says that it refuses calls.
    refuses: AtomicBool,
    metrics: Metrics,
}

/// Redis is not there, too slow, or refused: go on without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Redis is away")]
pub struct Away;

impl Redis {
    /// Away until [`Redis::probe`] has reached it.
    pub fn sealed(address: &RedisUrl, metrics: Metrics, seal: Seal) -> Self {
        Self(Arc::new(Inner {
            pool: Pool::new(address),
            seal,
            here: watch::Sender::new(false),
            refuses: AtomicBool::new(false),
            metrics,
        }))
    }

    /// One that is only asked whether it is there: what relays wrote is not believed, nor this one by them.
    pub fn new(address: &RedisUrl, metrics: Metrics) -> Self {
        Self::sealed(address, metrics, Seal::new(uuid::Uuid::new_v4().as_bytes(), None))
    }

    pub(crate) fn seal(&self) -> &Seal {
        &self.0.seal
    }

    /// Whether it answered last time.
    pub fn is_here(&self) -> bool {
        *self.0.here.borrow()
    }

    /// Follows whether it is there.
    pub fn here(&self) -> watch::Receiver<bool> {
        self.0.here.subscribe()
    }

    /// Whether it answers, with all patience; see [`Redis::try_all`] for whether it serves.
    pub async fn ask(&self) -> Result<(), RedisError> {
        self.0.pool.run(redis::pipe().cmd("PING").ignore()).await
    }

    /// For a caller for whom someone waits: an answer at once, or none.
    pub(crate) async fn quick<T: FromRedisValue>(&self, pipeline: &Pipeline) -> Result<T, Away> {
        self.run(pipeline, Some(QUICK)).await
    }

    /// In the background, with the patience of the connections.
    pub(crate) async fn patient<T: FromRedisValue>(&self, pipeline: &Pipeline) -> Result<T, Away> {
        self.run(pipeline, None).await
    }

    async fn run<T: FromRedisValue>(&self, pipeline: &Pipeline, limit: Option<Duration>) -> Result<T, Away> {
        if !self.is_here() {
            return Err(Away);
        }
        let call = self.0.pool.run(pipeline);
        let answer = match limit {
            Some(limit) => tokio::time::timeout(limit, call).await.ok(),
            None => Some(call.await),
        };
        match answer {
            Some(Ok(answer)) => return Ok(answer),
            Some(Err(cause)) if pool::is_broken(&cause) => tracing::debug!(%cause, "a call to Redis failed"),
            // It is there, and says no: out of memory, or not the one that may be written to.
            Some(Err(cause)) => {
                if !self.0.refuses.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%cause, "Redis refuses a call; going on without the answer");
                }
                return Err(Away);
            }
            None => tracing::debug!("Redis did not answer at once"),
        }
        self.doubt();
        Err(Away)
    }

    /// Takes it to be away until the probe has reached it.
    fn doubt(&self) {
        self.0.here.send_if_modified(|here| std::mem::replace(here, false));
    }

    /// Finds out when a Redis that is away is back. Runs for ever.
    pub async fn probe(self) {
        loop {
            self.watch_pulse().await;
            self.0.metrics.redis_up.set(0);
            self.0.refuses.store(false, Ordering::Relaxed);
            let mut told = false;
            while let Err(cause) = self.reach().await {
                // Once an outage, not once an attempt.
                if !std::mem::replace(&mut told, true) {
                    if pool::is_broken(&cause) {
                        tracing::warn!(%cause, "Redis is away; going on without it");
                    } else {
                        tracing::warn!(%cause, "Redis refuses what relays do there; going on without it");
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
    async fn watch_pulse(&self) {
        let mut here = self.here();
        let mut pulses = 0_u32;
        while self.is_here() {
            tokio::select! {
                // The sender is in `self`.
                _ = here.wait_for(|here| !here) => return,
                () = tokio::time::sleep(PULSE) => {}
            }
            pulses = pulses.wrapping_add(1);
            let pulse = async {
                if pulses.is_multiple_of(TRIAL_PULSES) { self.try_calls().await } else { self.ask().await }
            };
            if !matches!(tokio::time::timeout(PULSE_PATIENCE, pulse).await, Ok(Ok(()))) {
                self.doubt();
            }
        }
    }

    async fn reach(&self) -> Result<(), RedisError> {
        self.try_all().await?;
        self.0.pool.fill().await
    }
}
