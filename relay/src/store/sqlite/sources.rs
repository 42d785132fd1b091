//! Sources: what each has been answered for.

use mien_shared::SessionId;
use mien_shared::api::SourceName;
use sqlx::{Connection, Row, SqliteConnection};

use super::connections::SqliteStore;
use crate::store::error::{Result, StoreError};
use crate::store::model::{SourceKey, SourceState};
use crate::store::queries::sources;
use crate::store::value::unsigned;

impl SqliteStore {
    /// The source's key and what it has been answered for.
    pub async fn open_source(&self, id: SessionId, source: &SourceName) -> Result<(SourceKey, u64)> {
        let known = "SELECT s.key, s.through FROM sources s JOIN sessions e ON e.id = s.session_id \
                     WHERE s.session_id = ? AND s.name = ? AND e.status = 'active'";
        let row = sqlx::query(known)
            .bind(id.0)
            .bind(source.as_str())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        if let Some(row) = row {
            return Ok((SourceKey(row.try_get(0)?), unsigned(row.try_get(1)?)));
        }
        let mut write = self.write().await?;
        let added = add(&mut write, id, source, self.quota.sources_per_session).await;
        write.finish(added).await
    }

    /// Both queries in one snapshot, so that the counts and the gaps agree.
    pub async fn source_states(&self, id: SessionId) -> Result<Vec<SourceState>> {
        let mut reader = self.reader().await?;
        let mut snapshot = reader.begin().await?;
        let states = sources::states(&mut *snapshot, id).await?;
        snapshot.commit().await?;
        Ok(states)
    }
}

async fn add(
    write: &mut SqliteConnection,
    id: SessionId,
    source: &SourceName,
    max: u32,
) -> Result<(SourceKey, u64)> {
    let active: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sessions WHERE id = ? AND status = 'active')")
            .bind(id.0)
            .fetch_one(&mut *write)
            .await?;
    if !active {
        return Err(StoreError::Ended);
    }
    // Without this one, which another connection may just have made.
    let others: i64 = sqlx::query_scalar("SELECT count(*) FROM sources WHERE session_id = ? AND name <> ?")
        .bind(id.0)
        .bind(source.as_str())
        .fetch_one(&mut *write)
        .await?;
    if others >= i64::from(max) {
        return Err(StoreError::TooManySources(max));
    }
    let row = sqlx::query(
        "INSERT INTO sources (session_id, name) VALUES (?, ?) \
         ON CONFLICT (session_id, name) DO UPDATE SET name = excluded.name RETURNING key, through",
    )
    .bind(id.0)
    .bind(source.as_str())
    .fetch_one(write)
    .await?;
    Ok((SourceKey(row.try_get(0)?), unsigned(row.try_get(1)?)))
}
