//! Reading gaps: the first of a source, and all of a session page by page.

use mien_shared::SessionId;
use mien_shared::api::{SourceGap, SourceName};
use sqlx::{PgConnection, Row};

use super::PostgresStore;
use crate::store::value::{signed, source_name, unsigned};
use crate::store::{GapQuery, Page, Result, SampleCursor};

impl PostgresStore {
    pub async fn gaps(&self, id: SessionId, query: &GapQuery) -> Result<Page<SourceGap, SampleCursor>> {
        let mut reader = self.lease().await?;
        let sources = sqlx::query(
            "SELECT s.key, s.name FROM sources s JOIN sessions e ON e.id = s.session_id \
             WHERE s.session_id = $1 AND s.name >= $2 AND ($3::text IS NULL OR s.name = $3) AND s.gap_count > 0 \
             ORDER BY s.name",
        )
        .bind(id.0)
        .bind(query.after.as_ref().map_or("", |after| after.source.as_str()))
        .bind(query.source.as_ref().map(SourceName::as_str))
        .fetch_all(&mut *reader)
        .await?;
        let limit = query.limit as usize;
        let (mut rows, mut next): (Vec<SourceGap>, _) = (Vec::new(), None);
        for source in &sources {
            let (key, source): (i64, SourceName) = (source.try_get(0)?, source_name(source.try_get(1)?)?);
            let after = query.after.as_ref().filter(|after| after.source == source);
            let found = sqlx::query(
                "SELECT first_seq, last_seq, merged FROM gaps WHERE source_key = $1 AND first_seq > $2 \
                 ORDER BY first_seq LIMIT $3",
            )
            .bind(key)
            .bind(after.map_or(0, |after| signed(after.seq)))
            .bind((limit + 1 - rows.len()) as i64)
            .fetch_all(&mut *reader)
            .await?;
            for gap in &found {
                let (from, to) = (unsigned(gap.try_get(0)?), unsigned(gap.try_get(1)?));
                rows.push(SourceGap { source: source.clone(), from, to, merged: gap.try_get(2)? });
            }
            if rows.len() > limit {
                rows.truncate(limit);
                next = rows.last().map(|last| SampleCursor { source: last.source.clone(), seq: last.from });
                break;
            }
        }
        reader.give_back();
        Ok(Page { rows, next })
    }
}

/// The first gaps of a source, at most `most`, and whether any of all is a merged one.
pub(super) async fn first(reader: &mut PgConnection, key: i64, most: usize) -> Result<(Vec<[u64; 2]>, bool)> {
    let (firsts, lasts, merged): (Vec<i64>, Vec<i64>, bool) = sqlx::query_as(
        "SELECT coalesce(array_agg(first_seq ORDER BY first_seq), '{}'), \
             coalesce(array_agg(last_seq ORDER BY first_seq), '{}'), \
             EXISTS (SELECT 1 FROM gaps WHERE source_key = $1 AND merged) \
         FROM (SELECT first_seq, last_seq FROM gaps WHERE source_key = $1 ORDER BY first_seq LIMIT $2) g",
    )
    .bind(key)
    .bind(most as i64)
    .fetch_one(reader)
    .await?;
    let gaps = firsts.into_iter().zip(lasts).map(|(first, last)| [unsigned(first), unsigned(last)]);
    Ok((gaps.collect(), merged))
}
