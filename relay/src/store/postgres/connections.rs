//! The connections of a Postgres database.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::metrics::histogram::Histogram;
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};

use super::timeout::{CALL_TIMEOUT, within};
use crate::config::Quota;
use crate::store::backend::LIFETIME;
use crate::store::error::Result;

/// Commits that run at the same time. With two, one is written while the other waits for the disk; more would only
/// make each smaller.
pub(super) const LANES: usize = 2;
/// The longest that `/readyz` waits for an answer.
const READY_TIMEOUT: Duration = Duration::from_secs(1);

/// A Postgres database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    pub(super) pool: PgPool,
    /// Connections kept for the next commit: returning one to the pool costs a round trip.
    pub(super) writers: Arc<Mutex<Vec<Lease>>>,
    /// Maximum number of those.
    pub(super) max_writers: usize,
    pub(super) pool_wait: Histogram,
    pub(in crate::store) quota: Quota,
}

impl PostgresStore {
    pub async fn ready(&self) -> Result<()> {
        within(READY_TIMEOUT, async {
            let mut reader = self.lease().await?;
            sqlx::query("SELECT 1 FROM sessions LIMIT 1").fetch_optional(&mut *reader).await?;
            reader.give_back();
            Ok(())
        })
        .await
    }

    pub fn pool_usage(&self) -> (u32, u32) {
        let resting = self.pool.num_idle() + self.writers().len();
        let idle = u32::try_from(resting).unwrap_or(u32::MAX);
        (self.pool.size().saturating_sub(idle), idle)
    }

    pub const fn lanes() -> usize {
        LANES
    }

    pub async fn close(&self) {
        self.writers().clear();
        // Connections that do not answer are left to the server.
        let _ = within(CALL_TIMEOUT, async {
            self.pool.close().await;
            Ok(())
        })
        .await;
    }

    pub(in crate::store) async fn lease(&self) -> Result<Lease> {
        let asked = Instant::now();
        let connection = self.pool.acquire().await?;
        self.pool_wait.observe(asked.elapsed().as_secs_f64());
        Ok(Lease { connection: Some(connection), since: asked })
    }

    /// A connection to commit with.
    pub(super) async fn writer(&self) -> Result<Lease> {
        // A separate statement, because the guard would live on in the `if`.
        let kept = self.writers().pop();
        match kept {
            Some(writer) => Ok(writer),
            None => self.lease().await,
        }
    }

    /// Keeps a connection whose transaction is over.
    pub(super) fn keep(&self, writer: Lease) {
        let mut writers = self.writers();
        if writers.len() < self.max_writers && writer.since.elapsed() < LIFETIME && !self.pool.is_closed() {
            writers.push(writer);
        } else {
            drop(writers);
            writer.give_back();
        }
    }

    fn writers(&self) -> std::sync::MutexGuard<'_, Vec<Lease>> {
        // Pushes and pops leave it consistent, whatever panicked.
        self.writers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection on loan. Dropped before [`Lease::give_back`] it is closed: a call that was cut off or failed
/// leaves it in the middle of something, and on a server that does not answer it would stay on loan.
#[derive(Debug)]
pub(in crate::store) struct Lease {
    /// Present until the end.
    connection: Option<PoolConnection<Postgres>>,
    since: Instant,
}

impl Lease {
    pub(in crate::store) fn give_back(mut self) {
        drop(self.connection.take());
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.close_on_drop();
        }
    }
}

impl Deref for Lease {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        self.connection.as_ref().expect("given back only by value")
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect("given back only by value")
    }
}
