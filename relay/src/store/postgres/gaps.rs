//! Reading the gaps of a source.

use sqlx::{PgConnection, Row};

use crate::store::error::Result;
use crate::store::queries::gaps::GapReader;
use crate::store::value::unsigned;

impl GapReader for PgConnection {
    async fn gaps_after(&mut self, source: i64, after: i64, max: usize) -> Result<Vec<(u64, u64, bool)>> {
        let found = sqlx::query(
            "SELECT first_seq, last_seq, merged FROM gaps WHERE source_key = $1 AND first_seq > $2 \
             ORDER BY first_seq LIMIT $3",
        )
        .bind(source)
        .bind(after)
        .bind(max as i64)
        .fetch_all(self)
        .await?;
        let gap = |gap: &sqlx::postgres::PgRow| {
            Ok((unsigned(gap.try_get(0)?), unsigned(gap.try_get(1)?), gap.try_get(2)?))
        };
        found.iter().map(gap).collect()
    }

    async fn first_gaps(&mut self, source: i64, max: usize) -> Result<(Vec<[u64; 2]>, bool)> {
        let (firsts, lasts, merged): (Vec<i64>, Vec<i64>, bool) = sqlx::query_as(
            "SELECT coalesce(array_agg(first_seq ORDER BY first_seq), '{}'), \
                 coalesce(array_agg(last_seq ORDER BY first_seq), '{}'), \
                 EXISTS (SELECT 1 FROM gaps WHERE source_key = $1 AND merged) \
             FROM (SELECT first_seq, last_seq FROM gaps WHERE source_key = $1 ORDER BY first_seq LIMIT $2) g",
        )
        .bind(source)
        .bind(max as i64)
        .fetch_one(self)
        .await?;
        let gaps = firsts.into_iter().zip(lasts).map(|(first, last)| [unsigned(first), unsigned(last)]);
        Ok((gaps.collect(), merged))
    }
}
