//! Committing samples: read, decided and written in one transaction of the one writer.

use std::fmt::Write;
use std::sync::LazyLock;

use mien_shared::Sample;
use sqlx::SqliteConnection;

use super::connections::SqliteStore;
use crate::store::codec;
use crate::store::decide::{Commit, LateRow, Progress, source_keys};
use crate::store::error::Result;
use crate::store::model::{Batch, Outcome, SourceKey};
use crate::store::value::{millis, now, signed};

/// Rows of the largest insert. Smaller inserts are its halves, quarters …, so that nine prepared statements serve any
/// number of rows.
const INSERT_ROWS: usize = 256;

/// `INSERT` of 1, 2, 4 … rows.
static INSERTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    (0..=INSERT_ROWS.ilog2())
        .map(|power| {
            let rows = vec!["(?,?,?,?)"; 1 << power].join(",");
            // The key guarantees that a sample is stored only once, whatever happened before.
            format!("INSERT INTO samples (source_key, seq, at, faces) VALUES {rows} ON CONFLICT DO NOTHING")
        })
        .collect()
});

impl SqliteStore {
    pub async fn commit(&self, batches: &[Batch]) -> Result<Vec<Outcome>> {
        let mut write = self.write().await?;
        let outcomes = decide(&mut write, batches).await;
        write.finish(outcomes).await
    }
}

async fn decide(write: &mut SqliteConnection, batches: &[Batch]) -> Result<Vec<Outcome>> {
    let known = load(&mut *write, &source_keys(batches)).await?;
    let mut commit = Commit::begin(batches, known);
    let late = commit.late();
    if !late.is_empty() {
        commit.learn_rows(look_up(&mut *write, &late).await?);
    }
    let decision = commit.decide();
    for (source, first) in &decision.old_gaps {
        delete_gap(&mut *write, *source, *first).await?;
    }
    for (source, gap) in &decision.new_gaps {
        add_gap(&mut *write, *source, *gap).await?;
    }
    for (source, last) in &decision.grown_gaps {
        grow_gap(&mut *write, *source, *last).await?;
    }
    insert(&mut *write, &decision.samples).await?;
    save(write, &decision.sources).await?;
    Ok(decision.outcomes)
}

/// A source's key and [`Progress`], in the order in which [`load`] asks for them.
type SourceRow = (i64, u64, u64, u64, Option<u64>, Option<u64>, u64, u64, u64);

/// Sources that still take samples.
async fn load(write: &mut SqliteConnection, keys: &[i64]) -> Result<Vec<(SourceKey, Progress)>> {
    // One row for all: each row that crosses from SQLite's thread to ours may cost two context switches.
    let all: String = sqlx::query_scalar(
        "SELECT json_group_array(json_array(s.key, s.through, s.stored, s.rejected, s.first_at, s.last_at, \
         s.disorder_ms, s.gap_count, s.landmarks)) FROM sources s JOIN sessions e ON e.id = s.session_id \
         WHERE s.key IN (SELECT value FROM json_each(?)) AND e.status = 'active'",
    )
    .bind(json_list(keys.iter()))
    .fetch_one(write)
    .await?;
    let rows: Vec<SourceRow> =
        serde_json::from_str(&all).map_err(|cause| sqlx::Error::Decode(cause.into()))?;
    let known = |(key, through, stored, rejected, first_at, last_at, disorder_ms, gaps, landmarks)| {
        (
            SourceKey(key),
            Progress { through, stored, rejected, first_at, last_at, disorder_ms, gaps, landmarks },
        )
    };
    Ok(rows.into_iter().map(known).collect())
}

async fn look_up(write: &mut SqliteConnection, late: &[(SourceKey, u64)]) -> Result<Vec<LateRow>> {
    let rows = sqlx::query_as(
        "WITH q (key, seq) AS (SELECT value ->> 0, value ->> 1 FROM json_each(?)) \
         SELECT q.key, q.seq, \
         EXISTS (SELECT 1 FROM samples WHERE source_key = q.key AND samples.seq = q.seq), \
         g.first_seq, g.last_seq, g.merged \
         FROM q LEFT JOIN gaps g ON g.source_key = q.key AND g.last_seq >= q.seq AND g.first_seq = \
         (SELECT max(first_seq) FROM gaps WHERE source_key = q.key AND first_seq <= q.seq)",
    )
    .bind(json_list(late.iter().map(|(key, seq)| format!("[{},{seq}]", key.0))))
    .fetch_all(write)
    .await?;
    Ok(rows)
}

async fn delete_gap(write: &mut SqliteConnection, source: SourceKey, first: u64) -> Result<()> {
    sqlx::query("DELETE FROM gaps WHERE source_key = ? AND first_seq = ?")
        .bind(source.0)
        .bind(signed(first))
        .execute(write)
        .await?;
    Ok(())
}

async fn add_gap(write: &mut SqliteConnection, source: SourceKey, [first, last]: [u64; 2]) -> Result<()> {
    sqlx::query("INSERT INTO gaps (source_key, first_seq, last_seq) VALUES (?, ?, ?)")
        .bind(source.0)
        .bind(signed(first))
        .bind(signed(last))
        .execute(write)
        .await?;
    Ok(())
}

async fn grow_gap(write: &mut SqliteConnection, source: SourceKey, last: u64) -> Result<()> {
    sqlx::query(
        "UPDATE gaps SET last_seq = ?2, merged = 1 WHERE source_key = ?1 \
         AND first_seq = (SELECT max(first_seq) FROM gaps WHERE source_key = ?1)",
    )
    .bind(source.0)
    .bind(signed(last))
    .execute(write)
    .await?;
    Ok(())
}

/// Inserts all samples, in as few statements as it takes.
async fn insert(write: &mut SqliteConnection, samples: &[(SourceKey, &Sample)]) -> Result<()> {
    let mut rest = samples;
    while !rest.is_empty() {
        let power = rest.len().min(INSERT_ROWS).ilog2();
        let (rows, others) = rest.split_at(1 << power);
        let statement: &'static str = &INSERTS[power as usize];
        let mut query = sqlx::query(statement);
        for (source, sample) in rows {
            query = query
                .bind(source.0)
                .bind(signed(sample.seq))
                .bind(signed(sample.at))
                .bind(codec::encode(sample));
        }
        query.execute(&mut *write).await?;
        rest = others;
    }
    Ok(())
}

/// Writes back what changed, in one statement.
async fn save(write: &mut SqliteConnection, sources: &[(SourceKey, Progress)]) -> Result<()> {
    let mut rows = String::from("[");
    for (key, progress) in sources {
        let comma = if rows.len() > 1 { "," } else { "" };
        let or_null = |at: Option<u64>| at.map_or("null".to_owned(), |at| at.to_string());
        let Progress { through, stored, rejected, first_at, last_at, disorder_ms, gaps, landmarks } =
            progress;
        let (first_at, last_at, key) = (or_null(*first_at), or_null(*last_at), key.0);
        write!(
            rows,
            "{comma}[{key},{through},{stored},{rejected},{first_at},{last_at},{disorder_ms},{gaps},{landmarks}]"
        )
        .expect("writing to a String cannot fail");
    }
    if rows.len() == 1 {
        return Ok(());
    }
    rows.push(']');
    sqlx::query(
        "UPDATE sources SET through = n.value ->> 1, stored = n.value ->> 2, rejected = n.value ->> 3, \
         first_at = n.value ->> 4, last_at = n.value ->> 5, disorder_ms = n.value ->> 6, \
         gap_count = n.value ->> 7, landmarks = n.value ->> 8, stored_at = ?2 \
         FROM json_each(?1) n WHERE sources.key = n.value ->> 0",
    )
    .bind(rows)
    .bind(millis(now()))
    .execute(write)
    .await?;
    Ok(())
}

fn json_list(numbers: impl Iterator<Item = impl std::fmt::Display>) -> String {
    let mut text = String::from("[");
    for (index, number) in numbers.enumerate() {
        let comma = if index > 0 { "," } else { "" };
        write!(text, "{comma}{number}").expect("writing to a String cannot fail");
    }
    text.push(']');
    text
}
