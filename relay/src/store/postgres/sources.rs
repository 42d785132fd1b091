//! Sources: what each has been answered for.

use mien_shared::SessionId;
use mien_shared::api::SourceName;
use mien_shared::limits::MAX_LISTED_GAPS;
use sqlx::{Connection, PgConnection, Row};

use super::{PostgresStore, gaps};
use crate::store::value::{source_name, unsigned};
use crate::store::{Reach, Result, SourceKey, SourceState, StoreError};

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
            "SELECT s.key, s.name, s.through, s.stored, s.rejected, s.first_at, s.last_at, s.gap_count \
             FROM sources s JOIN sessions e ON e.id = s.session_id WHERE s.session_id = $1 ORDER BY s.name",
        )
        .bind(id.0)
        .fetch_all(&mut *snapshot)
        .await?;
        let mut states = Vec::with_capacity(sources.len());
        for row in &sources {
            let (key, gaps_total) = (row.try_get(0)?, unsigned(row.try_get(7)?));
            let (gaps, gaps_merged) = match gaps_total {
                0 => (Vec::new(), false),
                _ => gaps::first(&mut snapshot, key, MAX_LISTED_GAPS).await?,
            };
            states.push(SourceState {
                source: source_name(row.try_get(1)?)?,
                through: unsigned(row.try_get(2)?),
                stored: unsigned(row.try_get(3)?),
                rejected: unsigned(row.try_get(4)?),
                first_at: row.try_get::<Option<i64>, _>(5)?.map(unsigned),
                last_at: row.try_get::<Option<i64>, _>(6)?.map(unsigned),
                gaps,
                gaps_total,
                gaps_merged,
            });
        }
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

/// Adds a source under its session's lock: sources are counted one at a time, and the session does not end
/// meanwhile.
async fn add(
    writer: &mut PgConnection,
    id: SessionId,
    source: &SourceName,
    most: u32,
) -> Result<(SourceKey, u64)> {
    let mut transaction = writer.begin().await?;
    let active: Option<bool> =
        sqlx::query_scalar("SELECT status = 'active' FROM sessions WHERE id = $1 FOR UPDATE")
            .bind(id.0)
            .fetch_optional(&mut *transaction)
            .await?;
    let added = if active == Some(true) {
        add_locked(&mut transaction, id, source, most).await
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
    most: u32,
) -> Result<(SourceKey, u64)> {
    // Another may have been faster.
    if let Some(found) = find(&mut *writer, id, source).await? {
        return Ok(found);
    }
    let sources: i64 = sqlx::query_scalar("SELECT count(*) FROM sources WHERE session_id = $1")
        .bind(id.0)
        .fetch_one(&mut *writer)
        .await?;
    if sources >= i64::from(most) {
        return Err(StoreError::TooManySources(most));
    }
    let key = sqlx::query_scalar("INSERT INTO sources (session_id, name) VALUES ($1, $2) RETURNING key")
        .bind(id.0)
        .bind(source.as_str())
        .fetch_one(writer)
        .await?;
    Ok((SourceKey(key), 0))
}
