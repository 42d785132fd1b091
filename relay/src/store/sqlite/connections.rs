//! The connections of a SQLite database.

use std::sync::Arc;
use std::time::Instant;

use prometheus_client::metrics::histogram::Histogram;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Sqlite, SqliteConnection, SqlitePool};
use tokio::sync::Mutex;

use super::files::Files;
use super::unclean::Unclean;
use crate::config::Quota;
use crate::store::error::Result;

/// A SQLite database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pub(super) readers: SqlitePool,
    /// Empty after a failure: the next writer reconnects.
    pub(super) writer: Arc<Mutex<Option<SqliteConnection>>>,
    pub(super) options: Arc<SqliteConnectOptions>,
    pub(super) files: Files,
    pub(super) unclean: Arc<Unclean>,
    pub(super) pool_wait: Histogram,
    pub(in crate::store) quota: Quota,
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

    pub(in crate::store) async fn reader(&self) -> Result<PoolConnection<Sqlite>> {
        // A connection opened now would read another database.
        self.files.in_place()?;
        let asked = Instant::now();
        let reader = self.readers.acquire().await?;
        self.pool_wait.observe(asked.elapsed().as_secs_f64());
        Ok(reader)
    }
}
