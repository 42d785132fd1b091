//! What was erased or overwritten is removed from the files, and its space is returned to the disk.
//!
//! `secure_delete` zeroes what a row leaves behind in the database. It does not cover three things. The log keeps every
//! earlier version of a page until it is overwritten: it is truncated. When a page is split or joined, its rows are
//! copied, and copies stay in the unused part of the old page: the tables that hold text are rewritten, which frees and
//! zeroes all their pages. And freed pages stay in the file for later use: those at its end are given back, after other
//! pages are moved into the gaps.
//!
//! All of this takes turns with commits, a few milliseconds at a time, and is retried while readers block it.

use std::time::{Duration, Instant};

use sqlx::SqliteConnection;

use super::connections::SqliteStore;
use super::open::BUSY_TIMEOUT;
use crate::store::error::Result;

/// How long a caller that erases waits for it. Readers usually finish sooner; if not, it is done in the background.
const SCRUB_TIMEOUT: Duration = Duration::from_secs(2);
/// In the background, erasures at about the same time share the work.
const GATHER: Duration = Duration::from_secs(1);
/// How long one attempt holds commits back while a reader finishes, milliseconds.
const ATTEMPT_MS: u32 = 20;
/// Between attempts: the first, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(10), Duration::from_secs(2)];
/// Maximum rows of a text table that is rewritten in one transaction: some 50 ms. In a larger one, a copy of an erased
/// row may stay in the unused part of a page, until `VACUUM`.
const MAX_REWRITTEN_ROWS: i64 = 10_000;
/// Pages moved or cut off in one transaction: a megabyte, a few milliseconds.
const SHRINK_PAGES: i64 = 256;
/// Free pages that are kept for later use.
const SPARE_PAGES: i64 = 256;

impl SqliteStore {
    /// Returns once nothing of what was erased or overwritten before is in any of the files.
    pub async fn scrub(&self) -> Result<()> {
        let marks = self.unclean.marks();
        if self.unclean.is_clean() {
            return Ok(());
        }
        for table in [("sessions", "id"), ("markers", "session_id, id")] {
            self.rewrite(table).await?;
        }
        self.shrink().await?;
        self.truncate_wal_until(None).await?;
        self.unclean.cleaned(marks);
        Ok(())
    }

    /// For a caller that waits: truncates the log now if readers allow it. The rest is done soon, in the background.
    pub(super) async fn scrub_in_time(&self) -> Result<()> {
        if self.unclean.is_clean() {
            return Ok(());
        }
        self.truncate_wal_until(Some(Instant::now() + SCRUB_TIMEOUT)).await
    }

    /// Scrubs whenever there is something to scrub. Never returns.
    pub async fn keep_clean(&self) {
        loop {
            self.unclean.marked().await;
            tokio::time::sleep(GATHER).await;
            while let Err(cause) = self.scrub().await {
                tracing::warn!(%cause, "what was erased may still be in the database's files; trying again");
                tokio::time::sleep(PAUSES[1]).await;
            }
        }
    }

    async fn truncate_wal_until(&self, deadline: Option<Instant>) -> Result<()> {
        let [mut pause, longest] = PAUSES;
        while !self.truncate_wal().await? {
            if deadline.is_some_and(|deadline| Instant::now() + pause > deadline) {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
        Ok(())
    }

    async fn rewrite(&self, table: (&'static str, &'static str)) -> Result<()> {
        let mut write = self.write().await?;
        let rewritten = rewrite(&mut write, table).await;
        write.finish(rewritten).await
    }

    /// Moves the whole log into the database and truncates it; false if readers still need it.
    async fn truncate_wal(&self) -> Result<bool> {
        let mut writer = self.take_writer().await?;
        let truncated = truncate_wal(writer.connection()).await;
        if truncated.is_ok() {
            writer.put_back();
        }
        truncated
    }

    /// Gives free pages back to the disk, in steps. In a database that an earlier version made, which does not record
    /// which page refers to which, there is nothing to do until `VACUUM` rewrites it.
    async fn shrink(&self) -> Result<()> {
        while self.shrink_step().await? {}
        Ok(())
    }

    async fn shrink_step(&self) -> Result<bool> {
        let mut write = self.write().await?;
        let more = shrink(&mut write).await;
        write.finish(more).await
    }
}

async fn rewrite(write: &mut SqliteConnection, (table, key): (&'static str, &'static str)) -> Result<()> {
    let bounded = format!("SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT {MAX_REWRITTEN_ROWS} + 1)");
    let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(bounded)).fetch_one(&mut *write).await?;
    if rows > MAX_REWRITTEN_ROWS {
        return Ok(());
    }
    for statement in [
        // In memory, because the writer keeps all temporary tables there.
        format!("CREATE TEMP TABLE kept AS SELECT * FROM {table}"),
        format!("DELETE FROM {table}"),
        format!("INSERT INTO {table} SELECT * FROM temp.kept ORDER BY {key}"),
        "DROP TABLE temp.kept".to_owned(),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(statement)).persistent(false).execute(&mut *write).await?;
    }
    Ok(())
}

async fn truncate_wal(writer: &mut SqliteConnection) -> Result<bool> {
    set_busy_timeout(writer, ATTEMPT_MS).await?;
    let (busy, _, _): (i64, i64, i64) =
        sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *writer).await?;
    set_busy_timeout(writer, BUSY_TIMEOUT.as_millis() as u32).await?;
    Ok(busy == 0)
}

async fn set_busy_timeout(writer: &mut SqliteConnection, milliseconds: u32) -> Result<()> {
    let set = format!("PRAGMA busy_timeout = {milliseconds}");
    sqlx::query(sqlx::AssertSqlSafe(set)).execute(writer).await?;
    Ok(())
}

/// One step; whether there may be more.
async fn shrink(write: &mut SqliteConnection) -> Result<bool> {
    let incremental: i64 = sqlx::query_scalar("PRAGMA auto_vacuum").fetch_one(&mut *write).await?;
    let free: i64 = sqlx::query_scalar("PRAGMA freelist_count").fetch_one(&mut *write).await?;
    let pages = (free - SPARE_PAGES).min(SHRINK_PAGES);
    if incremental != 2 || pages <= 0 {
        return Ok(false);
    }
    let step = format!("PRAGMA incremental_vacuum({pages})");
    sqlx::query(sqlx::AssertSqlSafe(step)).persistent(false).execute(write).await?;
    Ok(true)
}
