//! Reading gaps: the first of a source, and all of a session page by page.

use mien_shared::SessionId;
use mien_shared::api::{SourceGap, SourceName};
use sqlx::{Row, SqliteConnection};

use super::SqliteStore;
use crate::store::value::{signed, source_name};
use crate::store::{GapQuery, Page, Result, SampleCursor};

impl SqliteStore {
    pub async fn gaps(&self, id: SessionId, query: &GapQuery) -> Result<Page<SourceGap, SampleCursor>> {
        let mut reader = self.reader().await?;
        let sources = sqlx::query(
            "SELECT s.key, s.name FROM sources s JOIN sessions e ON e.id = s.session_id \
             WHERE s.session_id = ?1 AND s.name >= ?2 AND (?3 IS NULL OR s.name = ?3) AND s.gap_count > 0 \
             ORDER BY s.name",
        )
        .bind(id.0.as_bytes().as_slice())
        .bind(query.after.as_ref().map_or("", |after| after.source.as_str()))
        .bind(query.source.as_ref().map(SourceName::as_str))
        .fetch_all(&mut *reader)
        .await?;
        let limit = query.limit as usize;
        let mut rows: Vec<SourceGap> = Vec::new();
        for source in &sources {
            let (key, source): (i64, SourceName) = (source.try_get(0)?, source_name(source.try_get(1)?)?);
            let after = query.after.as_ref().filter(|after| after.source == source);
            // One row for all: each that crosses from SQLite's thread to ours may cost two switches of context.
            let found: String = sqlx::query_scalar(
                "SELECT json_group_array(json_array(first_seq, last_seq, merged)) FROM ( \
                     SELECT first_seq, last_seq, merged FROM gaps WHERE source_key = ? AND first_seq > ? \
                     ORDER BY first_seq LIMIT ? \
                 )",
            )
            .bind(key)
            .bind(after.map_or(0, |after| signed(after.seq)))
            .bind((limit + 1 - rows.len()) as i64)
            .fetch_one(&mut *reader)
            .await?;
            let found: Vec<(u64, u64, u8)> = read(&found)?;
            let gap =
                |(from, to, merged)| SourceGap { source: source.clone(), from, to, merged: merged != 0 };
            rows.extend(found.into_iter().map(gap));
            if rows.len() > limit {
                rows.truncate(limit);
                let next =
                    rows.last().map(|last| SampleCursor { source: last.source.clone(), seq: last.from });
                return Ok(Page { rows, next });
            }
        }
        Ok(Page { rows, next: None })
    }
}

/// The first gaps of a source, at most `most`, and whether any of all is a merged one.
pub(super) async fn first(
    reader: &mut SqliteConnection,
    key: i64,
    most: usize,
) -> Result<(Vec<[u64; 2]>, bool)> {
    let row = sqlx::query(
        "SELECT json_group_array(json_array(first_seq, last_seq)), \
             (SELECT coalesce(max(merged), 0) FROM gaps WHERE source_key = ?1) \
         FROM (SELECT first_seq, last_seq FROM gaps WHERE source_key = ?1 ORDER BY first_seq LIMIT ?2)",
    )
    .bind(key)
    .bind(most as i64)
    .fetch_one(reader)
    .await?;
    Ok((read(row.try_get(0)?)?, row.try_get(1)?))
}

fn read<T: serde::de::DeserializeOwned>(list: &str) -> Result<T> {
    Ok(serde_json::from_str(list).map_err(|cause| sqlx::Error::Decode(cause.into()))?)
}
