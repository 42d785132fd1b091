//! Reading samples row by row as they arrive: meanwhile the server finds the next ones.

use futures_util::TryStreamExt;
use mien_shared::api::{SourceName, StoredSample};
use mien_shared::{Sample, SessionId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::connections::PostgresStore;
use crate::store::codec;
use crate::store::error::Result;
use crate::store::queries::samples::{Range, SampleReader};
use crate::store::value::{signed, unsigned};

impl PostgresStore {
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

impl SampleReader for PgConnection {
    async fn last_before(&mut self, range: Range<'_>, at: i64) -> Result<i64> {
        let Range { key, after, through, .. } = range;
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
        .bind(after)
        .bind(through)
        .bind(at)
        .fetch_one(self)
        .await?;
        Ok(found)
    }

    async fn append(
        &mut self,
        rows: &mut Vec<StoredSample>,
        max: usize,
        source: &SourceName,
        range: Range<'_>,
    ) -> Result<()> {
        let Range { key, after, through, query } = range;
        let mut found = sqlx::query(
            "SELECT seq, at, faces FROM samples WHERE source_key = $1 AND seq > $2 AND seq <= $3 \
             AND at >= $4 AND at < $5 ORDER BY seq LIMIT $6",
        )
        .bind(key)
        .bind(after)
        .bind(through)
        .bind(signed(query.from.unwrap_or(0)))
        .bind(signed(query.to.unwrap_or(u64::MAX)))
        .bind((max - rows.len()) as i64)
        .fetch(self);
        while let Some(row) = found.try_next().await? {
            rows.push(StoredSample { source: source.clone(), sample: read(&row)? });
        }
        Ok(())
    }
}

fn read(row: &PgRow) -> Result<Sample> {
    Ok(codec::decode(unsigned(row.try_get(0)?), unsigned(row.try_get(1)?), row.try_get(2)?)?)
}
