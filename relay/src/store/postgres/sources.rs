//! Sources: what each has been answered for.

use std::collections::HashMap;

use mien_shared::SessionId;
use mien_shared::api::SourceName;
use mien_shared::limits::MAX_SOURCES;
use sqlx::{Connection, PgConnection, Row};

use super::PostgresStore;
use crate::store::value::{source_name, unsigned};
use crate::store::{Reach, Result, SourceKey, SourceState, StoreError};

impl PostgresStore {
    /// The source's key and what it has been answered for.
    pub async fn open_source(&self, id: SessionId, source: &SourceName) -> Result<(SourceKey, u64)> {
        let mut writer = self.lease().await?;
        let found = match find(&mut writer, id, source).await? {
            Some(found) => Ok(found),
            None => add(&mut writer, id, source).await,
        };
        writer.give_back();
        found
    }

    pub async fn throughs(&self, id: SessionId) -> Result<Vec<(SourceName, u64)>> {
        let mut reader = self.lease().await?;
        let rows = sqlx::query(
            // Nothing of a session that is gone, though its samples may still be there.
            "SELECT s.name, s.through FROM sources s JOIN sessions e ON e.id = s.session_id \
             WHERE s.session_id = $1 ORDER BY s.name",
        )
        .bind(id.0)
        .fetch_all(&mut *reader)
        .await?;
        reader.give_back();
        rows.iter().map(|row| Ok((source_name(row.try_get(0)?)?, unsigned(row.try_get(1)?)))).collect()
    }

    pub async fn reaches(&self, id: SessionId) -> Result<Vec<Reach>> {
        let mut reader = self.lease().await?;
        let rows = sqlx::query(
            // The newest sample is one step into the key's index.
            "SELECT s.name, s.through, (SELECT max(m.seq) FROM samples m WHERE m.source_key = s.key) \
             FROM sources s JOIN sessions e ON e.id = s.session_id WHERE s.session_id = $1 ORDER BY s.name",
        )
        .bind(id.0)
        .fetch_all(&mut *reader)
        .await?;
        reader.give_back();
        rows.iter()
            .map(|row| {
                Ok(Reach {
                    source: source_name(row.try_get(0)?)?,
                    through: unsigned(row.try_get(1)?),
                    newest: row.try_get::<Option<i64>, _>(2)?.map_or(0, unsigned),
                })
            })
            .collect()
    }

    pub async fn source_states(&self, id: SessionId) -> Result<Vec<SourceState>> {
        let mut reader = self.lease().await?;
        // One snapshot for both questions, so that the counts and the gaps agree.
        let mut snapshot =
            reader.begin_with("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let sources = sqlx::query(
            "SELECT s.key, s.name, s.through, s.stored, s.rejected, s.first_at, s.last_at FROM sources s \
             JOIN sessions e ON e.id = s.session_id WHERE s.session_id = $1 ORDER BY s.name",
        )
        .bind(id.0)
        .fetch_all(&mut *snapshot)
        .await?;
        let gaps = sqlx::query(
            "SELECT g.source_key, g.first_seq, g.last_seq FROM gaps g JOIN sources s ON s.key = g.source_key \
             WHERE s.session_id = $1 ORDER BY g.source_key, g.first_seq",
        )
        .bind(id.0)
        .fetch_all(&mut *snapshot)
        .await?;
        snapshot.commit().await?;
        reader.give_back();
        let mut gaps_by_source: HashMap<i64, Vec<[u64; 2]>> = HashMap::new();
        for gap in &gaps {
            let ends = [unsigned(gap.try_get(1)?), unsigned(gap.try_get(2)?)];
            gaps_by_source.entry(gap.try_get(0)?).or_default().push(ends);
        }
        sources
            .iter()
            .map(|row| {
                Ok(SourceState {
                    source: source_name(row.try_get(1)?)?,
                    through: unsigned(row.try_get(2)?),
                    stored: unsigned(row.try_get(3)?),
                    rejected: unsigned(row.try_get(4)?),
                    first_at: row.try_get::<Option<i64>, _>(5)?.map(unsigned),
                    last_at: row.try_get::<Option<i64>, _>(6)?.map(unsigned),
                    gaps: gaps_by_source.remove(&row.try_get(0)?).unwrap_or_default(),
                })
            })
            .collect()
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

/// Adds a source under its session's lock: sources are counted one at a time, and the session does not end
/// meanwhile.
async fn add(writer: &mut PgConnection, id: SessionId, source: &SourceName) -> Result<(SourceKey, u64)> {
    let mut transaction = writer.begin().await?;
    let active: Option<bool> =
        sqlx::query_scalar("SELECT status = 'active' FROM sessions WHERE id = $1 FOR UPDATE")
            .bind(id.0)
            .fetch_optional(&mut *transaction)
            .await?;
    let added = if active == Some(true) {
        add_locked(&mut transaction, id, source).await
    } else {
        Err(StoreError::Ended)
    };
    // Also where nothing was added, so that the connection is whole.
    transaction.commit().await?;
    added
}

async fn add_locked(
    writer: &mut PgConnection,
    id: SessionId,
    source: &SourceName,
) -> Result<(SourceKey, u64)> {
    // Another may have been faster.
    if let Some(found) = find(&mut *writer, id, source).await? {
        return Ok(found);
    }
    let sources: i64 = sqlx::query_scalar("SELECT count(*) FROM sources WHERE session_id = $1")
        .bind(id.0)
        .fetch_one(&mut *writer)
        .await?;
    if sources >= MAX_SOURCES as i64 {
        return Err(StoreError::TooManySources);
    }
    let key = sqlx::query_scalar("INSERT INTO sources (session_id, name) VALUES ($1, $2) RETURNING key")
        .bind(id.0)
        .bind(source.as_str())
        .fetch_one(writer)
        .await?;
    Ok((SourceKey(key), 0))
}
