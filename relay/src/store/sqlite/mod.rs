//! The store over SQLite: one writer, many readers.
//!
//! SQLite takes one writer at a time, so there is one connection that writes, handed from caller to caller
//! in the order in which they asked: a commit of samples, a new session and a chunk of an erasure take turns
//! instead of timing each other out. Readers see the last commit and never wait for the writer (WAL). Each
//! connection has a thread of its own, so no runtime thread waits for a disk.

mod backup;
mod commit;
mod files;
mod gaps;
mod markers;
mod open;
mod pack;
mod revocations;
mod samples;
mod scrub;
mod sessions;
mod sources;
mod trial;
mod write;

use std::sync::Arc;
use std::time::Instant;

use prometheus_client::metrics::histogram::Histogram;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Sqlite, SqliteConnection, SqlitePool};
use tokio::sync::Mutex;

use super::Result;
use crate::config::Quota;
use files::Files;
use scrub::Unclean;

/// A SQLite database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    readers: SqlitePool,
    /// Empty after a failure: the next writer connects anew.
    writer: Arc<Mutex<Option<SqliteConnection>>>,
    options: Arc<SqliteConnectOptions>,
    files: Files,
    unclean: Arc<Unclean>,
    pool_wait: Histogram,
    pub(super) quota: Quota,
}

impl SqliteStore {
    pub async fn ready(&self) -> Result<()> {
        sqlx::query("SELECT 1 FROM sessions LIMIT 1").fetch_optional(&mut *self.reader().await?).await?;
        Ok(())
    }

    pub fn pool_usage(&self) -> (u32, u32) {
        let idle = u32::try_from(self.readers.num_idle()).unwrap_or(u32::MAX);
        (self.readers.size().saturating_sub(idle), idle)
    }

    pub async fn close(&self) {
        self.readers.close().await;
        if let Some(writer) = self.writer.lock().await.take()
            && let Err(cause) = writer.close().await
        {
            tracing::warn!(%cause, "the database did not close cleanly");
        }
    }

    async fn reader(&self) -> Result<PoolConnection<Sqlite>> {
        // One that is opened now would read another database.
        self.files.in_place()?;
        let asked = Instant::now();
        let reader = self.readers.acquire().await?;
        self.pool_wait.observe(asked.elapsed().as_secs_f64());
        Ok(reader)
    }
}
