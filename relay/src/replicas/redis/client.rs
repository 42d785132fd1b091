//! The Redis client: calls that answer quickly or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::{FromRedisValue, Pipeline, RedisError};
use tokio::sync::watch;

use super::pool::{self, Pool};
use super::seal::Seal;
use crate::config::RedisUrl;
use crate::live::REMOTE_TIMEOUT;
use crate::observe::metrics::Metrics;

/// The way to Redis. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Redis(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) pool: Pool,
    seal: Seal,
    /// Whether calls may be made.
    pub(super) here: watch::Sender<bool>,
    /// Whether it has already been logged that Redis refuses calls.
    pub(super) refuses: AtomicBool,
    pub(super) metrics: Metrics,
}

/// Redis is not there, too slow, or refused the call: the caller continues without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Redis is away")]
pub(crate) struct Away;

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

    /// For checking Redis only: it trusts nothing that relays wrote, nor do they trust what it writes.
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

    /// Whether it answers, within the timeout of its connections; [`Redis::try_all`] checks whether it can do its job.
    pub async fn ask(&self) -> Result<(), RedisError> {
        self.0.pool.run(redis::pipe().cmd("PING").ignore()).await
    }

    /// For a caller that waits: an answer at once, or none.
    pub(crate) async fn quick<T: FromRedisValue>(&self, pipeline: &Pipeline) -> Result<T, Away> {
        self.run(pipeline, Some(REMOTE_TIMEOUT)).await
    }

    /// In the background, with the timeout of the connections.
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
            // It is there and refuses: out of memory, or a replica that is read-only.
            Some(Err(cause)) => {
                if !self.0.refuses.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%cause, "Redis refuses a call; continuing without the answer");
                }
                return Err(Away);
            }
            None => tracing::debug!("Redis did not answer at once"),
        }
        self.doubt();
        Err(Away)
    }

    /// Treats it as away until the probe has reached it.
    pub(super) fn doubt(&self) {
        self.0.here.send_if_modified(|here| std::mem::replace(here, false));
    }
}
