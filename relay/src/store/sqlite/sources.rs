//! Sources: what each has been answered for.

use mien_shared::SessionId;
use mien_shared::api::SourceName;
use mien_shared::limits::MAX_LISTED_GAPS;
use sqlx::{Row, SqliteConnection};

use super::{SqliteStore, gaps};
use crate::store::value::{source_name, unsigned};
use crate::store::{Reach, Result, SourceKey, SourceState, StoreError};

impl SqliteStore {
    /// The source's key and what it has been answered for.
    pub async fn open_source(&self, id: SessionId, source: &SourceName) -> Result<(SourceKey, u64)> {
        let id = id.0.as_bytes().as_slice();
        let known = "SELECT s.key, s.through FROM sources s JOIN sessions e ON e.id = s.session_id \
                     WHERE s.session_id = ? AND s.name = ? AND e.status = 'active'";
        let row = sqlx::query(known)
            .bind(id)
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

    pub async fn throughs(&self, id: SessionId) -> Result<Vec<(SourceName, u64)>> {
        let rows = sqlx::query(
            // Nothing of a session that is gone, though its samples may still be there.
            "SELECT s.name, s.through FROM sources s JOIN sessions e ON e.id = s.session_id \
             WHERE s.session_id = ? ORDER BY s.name",
        )
        .bind(id.0.as_bytes().as_slice())
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter().map(|row| Ok((source_name(row.try_get(0)?)?, unsigned(row.try_get(1)?)))).collect()
    }

    pub async fn reaches(&self, id: SessionId) -> Result<Vec<Reach>> {
        let rows = sqlx::query(
            // The newest sample is one step into the key's index.
            "SELECT s.name, s.through, (SELECT max(m.seq) FROM samples m WHERE m.source_key = s.key) \
             FROM sources s JOIN sessions e ON e.id = s.session_id WHERE s.session_id = ? ORDER BY s.name",
        )
        .bind(id.0.as_bytes().as_slice())
        .fetch_all(&mut *self.reader().await?)
        .await?;
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
        let id = id.0.as_bytes().as_slice();
        let mut reader = self.reader().await?;
        // One snapshot for both questions, so that the counts and the gaps agree.
        let mut snapshot = sqlx::Connection::begin(&mut *reader).await?;
        let sources = sqlx::query(
            "SELECT s.key, s.name, s.through, s.stored, s.rejected, s.first_at, s.last_at, s.gap_count \
             FROM sources s JOIN sessions e ON e.id = s.session_id WHERE s.session_id = ? ORDER BY s.name",
        )
        .bind(id)
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
        Ok(states)
    }
}

async fn add(
    write: &mut SqliteConnection,
    id: &[u8],
    source: &SourceName,
    most: u32,
) -> Result<(SourceKey, u64)> {
    let active: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sessions WHERE id = ? AND status = 'active')")
            .bind(id)
            .fetch_one(&mut *write)
            .await?;
    if !active {
        return Err(StoreError::Ended);
    }
    // Others: another connection may just have made this one.
    let sources: i64 = sqlx::query_scalar("SELECT count(*) FROM sources WHERE session_id = ? AND name <> ?")
        .bind(id)
        .bind(source.as_str())
        .fetch_one(&mut *write)
        .await?;
    if sources >= i64::from(most) {
        return Err(StoreError::TooManySources(most));
    }
    let row = sqlx::query(
        "INSERT INTO sources (session_id, name) VALUES (?, ?) \
         ON CONFLICT (session_id, name) DO UPDATE SET name = excluded.name RETURNING key, through",
    )
    .bind(id)
    .bind(source.as_str())
    .fetch_one(write)
    .await?;
    Ok((SourceKey(row.try_get(0)?), unsigned(row.try_get(1)?)))
}
