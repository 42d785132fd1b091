//! Committing samples: read under the locks of their sources, decided, written, in one transaction of four round trips,
//! however many samples there are.

use mien_shared::Sample;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgBindIterExt, PgHasArrayType, PgTypeInfo};
use sqlx::{Connection, Encode, PgConnection, Postgres, Type};

use super::connections::PostgresStore;
use crate::store::codec;
use crate::store::decide::{Commit, Decision, LateRow, Progress, source_keys};
use crate::store::error::Result;
use crate::store::model::{Batch, Outcome, SourceKey};
use crate::store::value::{millis, now, signed, unsigned};

impl PostgresStore {
    pub async fn commit(&self, batches: &[Batch]) -> Result<Vec<Outcome>> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let known = lock(&mut transaction, &source_keys(batches)).await?;
        let mut commit = Commit::begin(batches, known);
        let late = commit.late();
        if !late.is_empty() {
            commit.learn_rows(look_up(&mut transaction, &late).await?);
        }
        let decision = commit.decide();
        write(&mut transaction, &decision).await?;
        transaction.commit().await?;
        self.keep(writer);
        Ok(decision.outcomes)
    }
}

/// Keys of sources and their [`Progress`], column by column, in the order in which [`lock`] asks for them.
type Columns = (
    Vec<i64>,
    Vec<i64>,
    Vec<i64>,
    Vec<i64>,
    Vec<Option<i64>>,
    Vec<Option<i64>>,
    Vec<i64>,
    Vec<i64>,
    Vec<i64>,
);

/// Sources that still take samples, locked until the transaction ends.
async fn lock(writer: &mut PgConnection, keys: &[i64]) -> Result<Vec<(SourceKey, Progress)>> {
    // One row for all: a row costs several times what its values cost.
    let columns: Option<Columns> = sqlx::query_as(
        "SELECT array_agg(key), array_agg(through), array_agg(stored), array_agg(rejected), \
             array_agg(first_at), array_agg(last_at), array_agg(disorder_ms), array_agg(gap_count), \
             array_agg(landmarks) \
         FROM ( \
             SELECT key, through, stored, rejected, first_at, last_at, disorder_ms, gap_count, landmarks FROM sources \
             WHERE key = ANY ($1) AND NOT ended ORDER BY key FOR UPDATE \
         ) locked HAVING count(*) > 0",
    )
    .bind(keys)
    .fetch_optional(writer)
    .await?;
    let (keys, throughs, stored, rejected, first_ats, last_ats, disorders, gaps, landmarks) =
        columns.unwrap_or_default();
    let progress = (0..keys.len()).map(|index| {
        let progress = Progress {
            through: unsigned(throughs[index]),
            stored: unsigned(stored[index]),
            rejected: unsigned(rejected[index]),
            first_at: first_ats[index].map(unsigned),
            last_at: last_ats[index].map(unsigned),
            disorder_ms: unsigned(disorders[index]),
            gaps: unsigned(gaps[index]),
            landmarks: unsigned(landmarks[index]),
        };
        (SourceKey(keys[index]), progress)
    });
    Ok(progress.collect())
}

async fn look_up(writer: &mut PgConnection, late: &[(SourceKey, u64)]) -> Result<Vec<LateRow>> {
    let rows = sqlx::query_as(
        "SELECT q.key, q.seq, \
         EXISTS (SELECT 1 FROM samples WHERE source_key = q.key AND samples.seq = q.seq), \
         g.first_seq, g.last_seq, g.merged \
         FROM unnest($1::bigint[], $2::bigint[]) AS q (key, seq) LEFT JOIN LATERAL ( \
             SELECT first_seq, last_seq, merged FROM gaps WHERE source_key = q.key AND first_seq <= q.seq \
             ORDER BY first_seq DESC LIMIT 1 \
         ) g ON g.last_seq >= q.seq",
    )
    .bind(late.iter().map(|(key, _)| key.0).bind_iter())
    .bind(late.iter().map(|(_, seq)| signed(*seq)).bind_iter())
    .fetch_all(writer)
    .await?;
    Ok(rows)
}

async fn write(writer: &mut PgConnection, decision: &Decision<'_>) -> Result<()> {
    let Decision { samples, sources, old_gaps, new_gaps, grown_gaps, .. } = decision;
    if !old_gaps.is_empty() {
        sqlx::query(
            "DELETE FROM gaps USING unnest($1::bigint[], $2::bigint[]) AS o (key, first) \
             WHERE source_key = o.key AND first_seq = o.first",
        )
        .bind(old_gaps.iter().map(|(key, _)| key.0).bind_iter())
        .bind(old_gaps.iter().map(|(_, first)| signed(*first)).bind_iter())
        .execute(&mut *writer)
        .await?;
    }
    if !new_gaps.is_empty() {
        sqlx::query(
            "INSERT INTO gaps (source_key, first_seq, last_seq) \
             SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])",
        )
        .bind(new_gaps.iter().map(|(key, _)| key.0).bind_iter())
        .bind(new_gaps.iter().map(|(_, [first, _])| signed(*first)).bind_iter())
        .bind(new_gaps.iter().map(|(_, [_, last])| signed(*last)).bind_iter())
        .execute(&mut *writer)
        .await?;
    }
    if !grown_gaps.is_empty() {
        sqlx::query(
            "UPDATE gaps g SET last_seq = n.last, merged = true \
             FROM unnest($1::bigint[], $2::bigint[]) AS n (key, last) WHERE g.source_key = n.key \
             AND g.first_seq = (SELECT max(first_seq) FROM gaps WHERE source_key = n.key)",
        )
        .bind(grown_gaps.iter().map(|(key, _)| key.0).bind_iter())
        .bind(grown_gaps.iter().map(|(_, last)| signed(*last)).bind_iter())
        .execute(&mut *writer)
        .await?;
    }
    // A new sample moves its source on, so without sources there are no samples.
    if sources.is_empty() {
        return Ok(());
    }
    let time = |at: Option<u64>| at.map(signed);
    sqlx::query(
        // The key guarantees that a sample is stored only once, whatever happened before.
        "WITH stored AS ( \
             INSERT INTO samples (source_key, seq, at, faces) \
             SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[]) \
             ON CONFLICT DO NOTHING \
         ) \
         UPDATE sources s SET through = n.through, stored = n.stored, rejected = n.rejected, \
             first_at = n.first_at, last_at = n.last_at, disorder_ms = n.disorder_ms, \
             gap_count = n.gap_count, landmarks = n.landmarks, stored_at = $14 \
         FROM unnest($5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], \
             $11::bigint[], $12::bigint[], $13::bigint[]) \
             AS n (key, through, stored, rejected, first_at, last_at, disorder_ms, gap_count, landmarks) \
         WHERE s.key = n.key",
    )
    .bind(samples.iter().map(|(key, _)| key.0).bind_iter())
    .bind(samples.iter().map(|(_, sample)| signed(sample.seq)).bind_iter())
    .bind(samples.iter().map(|(_, sample)| signed(sample.at)).bind_iter())
    .bind(samples.iter().map(|(_, sample)| Blob(sample)).bind_iter())
    .bind(sources.iter().map(|(key, _)| key.0).bind_iter())
    .bind(sources.iter().map(|(_, progress)| signed(progress.through)).bind_iter())
    .bind(sources.iter().map(|(_, progress)| signed(progress.stored)).bind_iter())
    .bind(sources.iter().map(|(_, progress)| signed(progress.rejected)).bind_iter())
    .bind(sources.iter().map(|(_, progress)| time(progress.first_at)).bind_iter())
    .bind(sources.iter().map(|(_, progress)| time(progress.last_at)).bind_iter())
    .bind(sources.iter().map(|(_, progress)| signed(progress.disorder_ms)).bind_iter())
    .bind(sources.iter().map(|(_, progress)| signed(progress.gaps)).bind_iter())
    .bind(sources.iter().map(|(_, progress)| signed(progress.landmarks)).bind_iter())
    .bind(millis(now()))
    .execute(writer)
    .await?;
    Ok(())
}

/// A sample as `bytea`, written straight into the message to the server.
struct Blob<'a>(&'a Sample);

impl Type<Postgres> for Blob<'_> {
    fn type_info() -> PgTypeInfo {
        <[u8] as Type<Postgres>>::type_info()
    }
}

impl PgHasArrayType for Blob<'_> {
    fn array_type_info() -> PgTypeInfo {
        <&[u8] as PgHasArrayType>::array_type_info()
    }
}

impl Encode<'_, Postgres> for Blob<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> std::result::Result<IsNull, BoxDynError> {
        codec::encode_into(self.0, buffer);
        Ok(IsNull::No)
    }
}
