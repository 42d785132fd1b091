//! Reading samples: by session, in a stable order, a page at a time.
//!
//! A page is found by key, never by offset, so the last page of a long recording costs what the first does.

use futures_util::TryStreamExt;
use mien_shared::api::{SourceName, StoredSample};
use mien_shared::{Sample, SessionId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::PostgresStore;
use crate::store::value::{signed, source_name, unsigned};
use crate::store::{Page, Result, SampleCursor, SampleQuery, SourceKey, Stretch, codec};

/// Seqs that can matter: above the first, up to the second.
type SeqRange = (i64, i64);

/// A source as samples are searched in it.
struct Source {
    name: SourceName,
    key: i64,
    through: i64,
    disorder_ms: i64,
}

impl PostgresStore {
    pub async fn samples(
        &self,
        id: SessionId,
        query: &SampleQuery,
    ) -> Result<Page<StoredSample, SampleCursor>> {
        let mut reader = self.lease().await?;
        let sources = sources(&mut reader, id, query).await?;
        let limit = query.limit as usize;
        let mut rows = Vec::new();
        for Source { name: source, key, through, disorder_ms } in sources {
            let after = query
                .after
                .as_ref()
                .filter(|after| after.source == source)
                .map_or(0, |after| signed(after.seq));
            let Some((low, high)) = seq_range(&mut reader, key, (after, through), disorder_ms, query).await?
            else {
                continue;
            };
            // Read as they come: the server finds the next ones meanwhile.
            let mut found = sqlx::query(
                "SELECT seq, at, faces FROM samples WHERE source_key = $1 AND seq > $2 AND seq <= $3 \
                 AND at >= $4 AND at < $5 ORDER BY seq LIMIT $6",
            )
            .bind(key)
            .bind(low)
            .bind(high)
            .bind(signed(query.from.unwrap_or(0)))
            .bind(signed(query.to.unwrap_or(u64::MAX)))
            .bind((limit + 1 - rows.len()) as i64)
            .fetch(&mut *reader);
            while let Some(row) = found.try_next().await? {
                rows.push(StoredSample { source: source.clone(), sample: read(&row)? });
            }
            drop(found);
            if rows.len() > limit {
                rows.truncate(limit);
                let next = rows
                    .last()
                    .map(|last| SampleCursor { source: last.source.clone(), seq: last.sample.seq });
                reader.give_back();
                return Ok(Page { rows, next });
            }
        }
        reader.give_back();
        Ok(Page { rows, next: None })
    }

    pub async fn stretches(&self, id: SessionId, query: &SampleQuery) -> Result<Vec<Stretch>> {
        let mut reader = self.lease().await?;
        let mut stretches = Vec::new();
        for Source { name: source, key, through, disorder_ms } in sources(&mut reader, id, query).await? {
            let range = seq_range(&mut reader, key, (0, through), disorder_ms, query).await?;
            stretches.extend(range.map(|(low, high)| Stretch {
                source,
                key: SourceKey(key),
                after: unsigned(low),
                through: unsigned(high),
            }));
        }
        reader.give_back();
        Ok(stretches)
    }

    pub async fn first_seq(&self, stretch: &Stretch) -> Result<Option<u64>> {
        let mut reader = self.lease().await?;
        let first: Option<i64> = sqlx::query_scalar(
            "SELECT min(seq) FROM samples WHERE source_key = $1 AND seq > $2 AND seq <= $3",
        )
        .bind(stretch.key.0)
        .bind(signed(stretch.after))
        .bind(signed(stretch.through))
        .fetch_one(&mut *reader)
        .await?;
        reader.give_back();
        Ok(first.map(unsigned))
    }

    pub async fn samples_after(
        &self,
        id: SessionId,
        source: &SourceName,
        after: u64,
        through: u64,
        limit: u32,
    ) -> Result<Vec<Sample>> {
        let mut reader = self.lease().await?;
        let rows = sqlx::query(
            "SELECT seq, at, faces FROM samples WHERE source_key = \
             (SELECT s.key FROM sources s JOIN sessions e ON e.id = s.session_id WHERE s.session_id = $1 AND s.name = $2) \
             AND seq > $3 AND seq <= $4 ORDER BY seq LIMIT $5",
        )
        .bind(id.0)
        .bind(source.as_str())
        .bind(signed(after))
        .bind(signed(through))
        .bind(i64::from(limit))
        .fetch_all(&mut *reader)
        .await?;
        reader.give_back();
        rows.iter().map(read).collect()
    }
}

/// Those that a query is about, by name, from the one of its cursor on.
async fn sources(reader: &mut PgConnection, id: SessionId, query: &SampleQuery) -> Result<Vec<Source>> {
    let rows = sqlx::query(
        "SELECT s.key, s.name, s.through, s.disorder_ms FROM sources s JOIN sessions e ON e.id = s.session_id \
             WHERE s.session_id = $1 AND s.name >= $2 AND ($3::text IS NULL OR s.name = $3) ORDER BY s.name",
    )
    .bind(id.0)
    .bind(query.after.as_ref().map_or("", |after| after.source.as_str()))
    .bind(query.source.as_ref().map(SourceName::as_str))
    .fetch_all(reader)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Source {
                key: row.try_get(0)?,
                name: source_name(row.try_get(1)?)?,
                through: row.try_get(2)?,
                disorder_ms: row.try_get(3)?,
            })
        })
        .collect()
}

/// The part of `range` in which all samples of the query's time lie; `None` where it has none.
///
/// Times go up with the seqs but for the source's disorder. So both ends are found by halving, in a few dozen
/// look-ups however long the recording is, and without an index by time.
async fn seq_range(
    reader: &mut PgConnection,
    key: i64,
    mut range: SeqRange,
    disorder_ms: i64,
    query: &SampleQuery,
) -> Result<Option<SeqRange>> {
    // A cursor is beyond the start already.
    if range.0 == 0
        && let Some(from) = query.from
    {
        range.0 = last_before(reader, key, range, signed(from) - disorder_ms).await?;
    }
    if let Some(to) = query.to {
        range.1 = last_before(reader, key, range, signed(to).saturating_add(disorder_ms)).await?;
    }
    Ok((range.0 < range.1).then_some(range))
}

/// A seq up to which every sample is before `at`, and above which none is; with a source in disorder, all but
/// those that are within it.
async fn last_before(reader: &mut PgConnection, key: i64, (low, high): SeqRange, at: i64) -> Result<i64> {
    let found = sqlx::query_scalar(
        "WITH RECURSIVE search (low, high) AS ( \
             SELECT $2::bigint, $3::bigint \
             UNION ALL \
             SELECT CASE WHEN s.at < $4 THEN s.seq ELSE low END, \
                    CASE WHEN s.at < $4 THEN high ELSE (low + high + 1) / 2 - 1 END \
             FROM search LEFT JOIN LATERAL ( \
                 SELECT seq, at FROM samples WHERE source_key = $1 AND seq >= (low + high + 1) / 2 \
                 ORDER BY seq LIMIT 1 \
             ) s ON true WHERE low < high \
         ) SELECT max(low) FROM search",
    )
    .bind(key)
    .bind(low)
    .bind(high)
    .bind(at)
    .fetch_one(reader)
    .await?;
    Ok(found)
}

fn read(row: &PgRow) -> Result<Sample> {
    Ok(codec::decode(unsigned(row.try_get(0)?), unsigned(row.try_get(1)?), row.try_get(2)?)?)
}
