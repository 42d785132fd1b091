//! Reading samples, many in one row.

use mien_shared::api::{SourceName, StoredSample};
use mien_shared::series::SeriesBuilder;
use mien_shared::{Sample, SessionId};
use sqlx::SqliteConnection;

use super::connections::SqliteStore;
use super::pack;
use crate::store::error::Result;
use crate::store::model::{SampleQuery, Stretch};
use crate::store::queries::samples::{Range, SampleReader};
use crate::store::value::signed;

impl SqliteStore {
    pub async fn add_to_series(
        &self,
        stretch: &Stretch,
        query: &SampleQuery,
        series: &mut SeriesBuilder,
    ) -> Result<u64> {
        let mut reader = self.reader().await?;
        let (after, through) = (signed(stretch.after), signed(stretch.through));
        let range = Range { key: stretch.key.0, after, through, query };
        pack::add_to_series(&mut reader, &stretch.source, range, series).await
    }

    pub async fn samples_after(
        &self,
        id: SessionId,
        source: &SourceName,
        after: u64,
        through: u64,
        limit: u32,
    ) -> Result<Vec<Sample>> {
        let mut reader = self.reader().await?;
        let key: Option<i64> = sqlx::query_scalar(
            "SELECT s.key FROM sources s JOIN sessions e ON e.id = s.session_id WHERE s.session_id = ? AND s.name = ?",
        )
        .bind(id.0)
        .bind(source.as_str())
        .fetch_optional(&mut *reader)
        .await?;
        let Some(key) = key else { return Ok(Vec::new()) };
        let (after, through) = (signed(after), signed(through));
        let range = Range { key, after, through, query: &SampleQuery::default() };
        let pack = pack::read(&mut reader, range, limit as usize).await?;
        let mut samples = Vec::with_capacity(pack.seqs.len());
        pack.unpack(|sample| samples.push(sample))?;
        Ok(samples)
    }
}

impl SampleReader for SqliteConnection {
    async fn last_before(&mut self, range: Range<'_>, at: i64) -> Result<i64> {
        let Range { key, after, through, .. } = range;
        let found = sqlx::query_scalar(
            "WITH RECURSIVE search (low, high) AS ( \
                 SELECT ?2, ?3 \
                 UNION ALL \
                 SELECT CASE WHEN s.at < ?4 THEN s.seq ELSE low END, \
                        CASE WHEN s.at < ?4 THEN high ELSE (low + high + 1) / 2 - 1 END \
                 FROM search LEFT JOIN samples s ON s.source_key = ?1 AND s.seq = \
                     (SELECT min(seq) FROM samples WHERE source_key = ?1 AND seq >= (low + high + 1) / 2) \
                 WHERE low < high \
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
        pack::append(rows, max, source, range, self).await
    }
}
