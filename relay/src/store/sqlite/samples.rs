//! Reading samples: by session, in a stable order, a page at a time.
//!
//! A page is found by key, never by offset, so the last page of a long recording costs what the first does.

use mien_shared::api::{SourceName, StoredSample};
use mien_shared::{Sample, SessionId};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::sources::read_name;
use super::{SqliteStore, signed, unsigned};
use crate::store::{Page, Result, SampleCursor, SampleQuery, codec};

/// Seqs that can matter: above the first, up to the second.
type SeqRange = (i64, i64);

impl SqliteStore {
    pub async fn samples(
        &self,
        id: SessionId,
        query: &SampleQuery,
    ) -> Result<Page<StoredSample, SampleCursor>> {
        let mut reader = self.reader().await?;
        let only = query.source.as_ref().map(SourceName::as_str);
        let from_name = query.after.as_ref().map_or("", |after| after.source.as_str());
        let sources = sqlx::query(
            "SELECT s.key, s.name, s.through, s.ordered FROM sources s JOIN sessions e ON e.id = s.session_id \
             WHERE s.session_id = ?1 AND s.name >= ?2 AND (?3 IS NULL OR s.name = ?3) ORDER BY s.name",
        )
        .bind(id.0.as_bytes().as_slice())
        .bind(from_name)
        .bind(only)
        .fetch_all(&mut *reader)
        .await?;
        let limit = query.limit as usize;
        let mut rows = Vec::new();
        for row in &sources {
            let source = read_name(row.try_get(1)?)?;
            let after =
                query.after.as_ref().filter(|after| after.source == source).map_or(0, |after| after.seq);
            let key: i64 = row.try_get(0)?;
            let Some((low, high)) = seq_range(&mut reader, key, row.try_get(3)?, query).await? else {
                continue;
            };
            let found = sqlx::query(
                // `+at` keeps the planner on the primary key: its order is the page's order.
                "SELECT seq, at, faces FROM samples WHERE source_key = ? AND seq > ? AND seq <= ? \
                 AND +at >= ? AND +at < ? ORDER BY seq LIMIT ?",
            )
            .bind(key)
            .bind(low.max(signed(after)))
            .bind(high.min(row.try_get(2)?))
            .bind(signed(query.from.unwrap_or(0)))
            .bind(signed(query.to.unwrap_or(u64::MAX)))
            .bind((limit + 1 - rows.len()) as i64)
            .fetch_all(&mut *reader)
            .await?;
            for row in &found {
                rows.push(StoredSample { source: source.clone(), sample: read(row)? });
            }
            if rows.len() > limit {
                rows.truncate(limit);
                let next = rows
                    .last()
                    .map(|last| SampleCursor { source: last.source.clone(), seq: last.sample.seq });
                return Ok(Page { rows, next });
            }
        }
        Ok(Page { rows, next: None })
    }

    pub async fn samples_after(
        &self,
        id: SessionId,
        source: &SourceName,
        after: u64,
        through: u64,
        limit: u32,
    ) -> Result<Vec<Sample>> {
        let rows = sqlx::query(
            "SELECT seq, at, faces FROM samples WHERE source_key = \
             (SELECT s.key FROM sources s JOIN sessions e ON e.id = s.session_id WHERE s.session_id = ? AND s.name = ?) \
             AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
        )
        .bind(id.0.as_bytes().as_slice())
        .bind(source.as_str())
        .bind(signed(after))
        .bind(signed(through))
        .bind(limit)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter().map(read).collect()
    }
}

/// The seqs between which all samples of the query's time lie; `None` where it has none.
///
/// Where a source's clock never went back, two look-ups find the ends however long the recording is;
/// otherwise the index over the time range is read once.
async fn seq_range(
    reader: &mut SqliteConnection,
    key: i64,
    ordered: bool,
    query: &SampleQuery,
) -> Result<Option<SeqRange>> {
    if query.from.is_none() && query.to.is_none() {
        return Ok(Some((0, i64::MAX)));
    }
    let from = signed(query.from.unwrap_or(0));
    let to = signed(query.to.unwrap_or(u64::MAX));
    let (first, last): (Option<i64>, Option<i64>) = if ordered {
        let first = sqlx::query_scalar(
            "SELECT seq FROM samples WHERE source_key = ? AND at >= ? ORDER BY at, seq LIMIT 1",
        )
        .bind(key)
        .bind(from)
        .fetch_optional(&mut *reader)
        .await?;
        let last = sqlx::query_scalar(
            "SELECT seq FROM samples WHERE source_key = ? AND at < ? ORDER BY at DESC, seq DESC LIMIT 1",
        )
        .bind(key)
        .bind(to)
        .fetch_optional(reader)
        .await?;
        (first, last)
    } else {
        sqlx::query_as("SELECT min(seq), max(seq) FROM samples WHERE source_key = ? AND at >= ? AND at < ?")
            .bind(key)
            .bind(from)
            .bind(to)
            .fetch_one(reader)
            .await?
    };
    Ok(first.zip(last).filter(|(first, last)| first <= last).map(|(first, last)| (first - 1, last)))
}

fn read(row: &SqliteRow) -> Result<Sample> {
    Ok(Sample {
        seq: unsigned(row.try_get(0)?),
        at: unsigned(row.try_get(1)?),
        faces: codec::decode(row.try_get(2)?)?,
    })
}
