//! Sources: what each has been answered for.

use mien_shared::SessionId;
use mien_shared::api::SourceName;
use sqlx::{Connection, PgConnection, Row};

use super::connections::PostgresStore;
use crate::store::error::{Result, StoreError};
use crate::store::model::{SourceKey, SourceState};
use crate::store::queries::sources;
use crate::store::value::unsigned;

impl PostgresStore {
    /// The source's key and what it has been answered for.
    pub async fn open_source(&self, id: SessionId, source: &SourceName) -> Result<(SourceKey, u64)> {
        let mut writer = self.lease().await?;
        let found = match find(&mut writer, id, source).await? {
            Some(found) => Ok(found),
            None => add(&mut writer, id, source, self.quota.sources_per_session).await,
        };
        writer.give_back();
        found
    }

    /// Both queries in one snapshot, so that the counts and the gaps agree.
    pub async fn source_states(&self, id: SessionId) -> Result<Vec<SourceState>> {
        let mut reader = self.lease().await?;
        let mut snapshot =
            reader.begin_with("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let states = sources::states(&mut *snapshot, id).await?;
        snapshot.commit().await?;
        reader.give_back();
        Ok(states)
    }
}

async fn find(
    writer: &mut PgConnection,
    id: SessionId,
    source: &SourceName,
) -> Result<Option<(SourceKey, u64)>> {
    let row =
        sqlx::query("SELECT key, through FROM sources WHERE session_id = $1 AND name = $2 AND NOT ended")
            .bind(id.0)
            .bind(source.as_str())
            .fetch_optional(writer)
            .await?;
    row.map(|row| Ok((SourceKey(row.try_get(0)?), unsigned(row.try_get(1)?)))).transpose()
}

/// Adds a source under its session's lock: sources are counted one at a time, and the session does not end in the
/// meantime.
async fn add(
    writer: &mut PgConnection,
    id: SessionId,
    source: &SourceName,
    max: u32,
) -> Result<(SourceKey, u64)> {
    let mut transaction = writer.begin().await?;
    let active: Option<bool> =
        sqlx::query_scalar("SELECT status = 'active' FROM sessions WHERE id = $1 FOR UPDATE")
            .bind(id.0)
            .fetch_optional(&mut *transaction)
            .await?;
    let added = if active == Some(true) {
        add_locked(&mut transaction, id, source, max).await
    } else {
        Err(StoreError::Ended)
    };
    // Even if nothing was added, so that the connection is left outside a transaction.
    transaction.commit().await?;
    added
}

async fn add_locked(
    writer: &mut PgConnection,
    id: SessionId,
    source: &SourceName,
    max: u32,
) -> Result<(SourceKey, u64)> {
    // Another connection may have added it in the meantime.
    if let Some(found) = find(&mut *writer, id, source).await? {
        return Ok(found);
    }
    let others: i64 = sqlx::query_scalar("SELECT count(*) FROM sources WHERE session_id = $1")
        .bind(id.0)
        .fetch_one(&mut *writer)
        .await?;
    if others >= i64::from(max) {
        return Err(StoreError::TooManySources(max));
    }
    let key = sqlx::query_scalar("INSERT INTO sources (session_id, name) VALUES ($1, $2) RETURNING key")
        .bind(id.0)
        .bind(source.as_str())
        .fetch_one(writer)
        .await?;
    Ok((SourceKey(key), 0))
}
