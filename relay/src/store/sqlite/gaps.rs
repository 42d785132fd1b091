//! Reading the gaps of a source in one row: each row that crosses from SQLite's thread to ours may cost two context
//! switches.

use sqlx::{Row, SqliteConnection};

use crate::store::error::Result;
use crate::store::queries::gaps::GapReader;

impl GapReader for SqliteConnection {
    async fn gaps_after(&mut self, source: i64, after: i64, max: usize) -> Result<Vec<(u64, u64, bool)>> {
        let found: String = sqlx::query_scalar(
            "SELECT json_group_array(json_array(first_seq, last_seq, merged)) FROM ( \
                 SELECT first_seq, last_seq, merged FROM gaps WHERE source_key = ? AND first_seq > ? \
                 ORDER BY first_seq LIMIT ? \
             )",
        )
        .bind(source)
        .bind(after)
        .bind(max as i64)
        .fetch_one(self)
        .await?;
        let found: Vec<(u64, u64, u8)> = read(&found)?;
        Ok(found.into_iter().map(|(first, last, merged)| (first, last, merged != 0)).collect())
    }

    async fn first_gaps(&mut self, source: i64, max: usize) -> Result<(Vec<[u64; 2]>, bool)> {
        let row = sqlx::query(
            "SELECT json_group_array(json_array(first_seq, last_seq)), \
                 (SELECT coalesce(max(merged), 0) FROM gaps WHERE source_key = ?1) \
             FROM (SELECT first_seq, last_seq FROM gaps WHERE source_key = ?1 ORDER BY first_seq LIMIT ?2)",
        )
        .bind(source)
        .bind(max as i64)
        .fetch_one(self)
        .await?;
        Ok((read(row.try_get(0)?)?, row.try_get(1)?))
    }
}

fn read<T: serde::de::DeserializeOwned>(list: &str) -> Result<T> {
    Ok(serde_json::from_str(list).map_err(|cause| sqlx::Error::Decode(cause.into()))?)
}
