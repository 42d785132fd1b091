//! Committing samples: what became of each is decided here, from what the source has been answered for, in
//! the transaction that makes it durable. So it is right across reconnects, takeovers and restarts.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::sync::LazyLock;

use mien_shared::Sample;
use sqlx::{Row, SqliteConnection};

use super::{SqliteStore, signed, unsigned};
use crate::store::{Batch, Fate, Item, Outcome, Result, SourceKey, Take, codec};

/// Rows of the largest insert. Smaller inserts are its halves, quarters …, so that nine prepared statements
/// serve every number of rows.
const INSERT_ROWS: usize = 256;

/// `INSERT` of 1, 2, 4 … rows.
static INSERTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    (0..=INSERT_ROWS.ilog2())
        .map(|power| {
            let rows = vec!["(?,?,?,?)"; 1 << power].join(",");
            // The key is the promise that a sample is stored once, whatever comes before.
            format!("INSERT INTO samples (source_key, seq, at, faces) VALUES {rows} ON CONFLICT DO NOTHING")
        })
        .collect()
});

/// A source while its batches are looked at.
#[derive(Debug)]
struct Progress {
    active: bool,
    through: u64,
    stored: u64,
    rejected: u64,
    first_at: Option<u64>,
    last_at: Option<u64>,
    ordered: bool,
    changed: bool,
}

impl SqliteStore {
    pub async fn commit(&self, batches: &[Batch]) -> Result<Vec<Outcome>> {
        let mut write = self.write().await?;
        let mut sources = load(&mut write, batches).await?;
        let mut pending: Vec<(SourceKey, &Sample)> = Vec::new();
        let mut outcomes = Vec::with_capacity(batches.len());
        for batch in batches {
            let outcome = match sources.get_mut(&batch.source) {
                Some(progress) if progress.active => {
                    Outcome::Taken(take(&mut write, batch, progress, &mut pending).await?)
                }
                _ => Outcome::Ended,
            };
            outcomes.push(outcome);
        }
        insert(&mut write, &mut pending).await?;
        save(&mut write, &sources).await?;
        write.commit().await?;
        Ok(outcomes)
    }
}

async fn load(write: &mut SqliteConnection, batches: &[Batch]) -> Result<HashMap<SourceKey, Progress>> {
    let mut keys: Vec<i64> = batches.iter().map(|batch| batch.source.0).collect();
    keys.sort_unstable();
    keys.dedup();
    let rows = sqlx::query(
        "SELECT s.key, s.through, s.stored, s.rejected, s.first_at, s.last_at, s.ordered, e.status = 'active' \
         FROM sources s JOIN sessions e ON e.id = s.session_id \
         WHERE s.key IN (SELECT value FROM json_each(?))",
    )
    .bind(json_list(keys.iter()))
    .fetch_all(write)
    .await?;
    rows.iter()
        .map(|row| {
            let progress = Progress {
                through: unsigned(row.try_get(1)?),
                stored: unsigned(row.try_get(2)?),
                rejected: unsigned(row.try_get(3)?),
                first_at: row.try_get::<Option<i64>, _>(4)?.map(unsigned),
                last_at: row.try_get::<Option<i64>, _>(5)?.map(unsigned),
                ordered: row.try_get(6)?,
                active: row.try_get(7)?,
                changed: false,
            };
            Ok((SourceKey(row.try_get(0)?), progress))
        })
        .collect()
}

/// Decides on each sample of a batch. New samples go to `pending`, to be inserted with others.
async fn take<'a>(
    write: &mut SqliteConnection,
    batch: &'a Batch,
    progress: &mut Progress,
    pending: &mut Vec<(SourceKey, &'a Sample)>,
) -> Result<Take> {
    let before = progress.through;
    let mut durable = HashSet::new();
    let late = late_seqs(before, &batch.items);
    if !late.is_empty() {
        // What the store holds must include what this commit took so far.
        insert(write, pending).await?;
        durable = stored_among(write, batch.source, &late).await?;
    }
    let mut fates = Vec::with_capacity(batch.items.len());
    for item in &batch.items {
        let seq = seq_of(item);
        let is_late = seq <= progress.through;
        if !is_late && seq > progress.through + 1 {
            add_gap(write, batch.source, progress.through + 1, seq - 1).await?;
        }
        let fate = match item {
            Ok(_) if durable.contains(&seq) => Fate::Duplicate,
            Ok(_) if is_late => Fate::OutOfOrder,
            Ok(sample) => {
                pending.push((batch.source, sample));
                if !late.is_empty() {
                    durable.insert(seq);
                }
                progress.store(sample.at);
                Fate::Stored
            }
            Err(_) => Fate::Invalid,
        };
        if matches!(fate, Fate::Invalid | Fate::OutOfOrder) {
            // A seq is counted as rejected once: when it is new, or leaves a gap. Asked again it is refused
            // again, which changes nothing.
            if !is_late || (!durable.contains(&seq) && close_gap(write, batch.source, seq).await?) {
                progress.rejected += 1;
                progress.changed = true;
            }
        }
        if !is_late {
            progress.through = seq;
            progress.changed = true;
        }
        fates.push(fate);
    }
    Ok(Take { before, through: progress.through, fates })
}

impl Progress {
    fn store(&mut self, at: u64) {
        self.stored += 1;
        self.ordered &= self.last_at.is_none_or(|last| at >= last);
        self.first_at = Some(self.first_at.map_or(at, |first| first.min(at)));
        self.last_at = Some(self.last_at.map_or(at, |last| last.max(at)));
        self.changed = true;
    }
}

fn seq_of(item: &Item) -> u64 {
    match item {
        Ok(sample) => sample.seq,
        Err(refused) => refused.seq,
    }
}

/// Seqs that come after a higher one of their source.
fn late_seqs(mut through: u64, items: &[Item]) -> Vec<u64> {
    let mut late = Vec::new();
    for seq in items.iter().map(seq_of) {
        if seq <= through {
            late.push(seq);
        } else {
            through = seq;
        }
    }
    late
}

async fn stored_among(write: &mut SqliteConnection, source: SourceKey, seqs: &[u64]) -> Result<HashSet<u64>> {
    let found: Vec<i64> = sqlx::query_scalar(
        "SELECT seq FROM samples WHERE source_key = ? AND seq IN (SELECT value FROM json_each(?))",
    )
    .bind(source.0)
    .bind(json_list(seqs.iter()))
    .fetch_all(write)
    .await?;
    Ok(found.into_iter().map(unsigned).collect())
}

async fn add_gap(write: &mut SqliteConnection, source: SourceKey, first: u64, last: u64) -> Result<()> {
    sqlx::query("INSERT INTO gaps (source_key, first_seq, last_seq) VALUES (?, ?, ?)")
        .bind(source.0)
        .bind(signed(first))
        .bind(signed(last))
        .execute(write)
        .await?;
    Ok(())
}

/// Takes one seq out of the gap that it is in; false where it is in none.
async fn close_gap(write: &mut SqliteConnection, source: SourceKey, seq: u64) -> Result<bool> {
    let gap: Option<(i64, i64)> = sqlx::query_as(
        "DELETE FROM gaps WHERE source_key = ?1 AND first_seq = \
         (SELECT max(first_seq) FROM gaps WHERE source_key = ?1 AND first_seq <= ?2) \
         AND last_seq >= ?2 RETURNING first_seq, last_seq",
    )
    .bind(source.0)
    .bind(signed(seq))
    .fetch_optional(&mut *write)
    .await?;
    let Some((first, last)) = gap else { return Ok(false) };
    let (first, last) = (unsigned(first), unsigned(last));
    if first < seq {
        add_gap(write, source, first, seq - 1).await?;
    }
    if seq < last {
        add_gap(write, source, seq + 1, last).await?;
    }
    Ok(true)
}

/// Inserts all that is pending, in as few statements as it takes.
async fn insert(write: &mut SqliteConnection, pending: &mut Vec<(SourceKey, &Sample)>) -> Result<()> {
    let mut rest = pending.as_slice();
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
                .bind(codec::encode(&sample.faces));
        }
        query.execute(&mut *write).await?;
        rest = others;
    }
    pending.clear();
    Ok(())
}

/// Writes back what changed, in one statement.
async fn save(write: &mut SqliteConnection, sources: &HashMap<SourceKey, Progress>) -> Result<()> {
    let mut rows = String::from("[");
    for (key, progress) in sources.iter().filter(|(_, progress)| progress.changed) {
        let comma = if rows.len() > 1 { "," } else { "" };
        let or_null = |at: Option<u64>| at.map_or("null".to_owned(), |at| at.to_string());
        let Progress { through, stored, rejected, first_at, last_at, ordered, .. } = progress;
        let (first_at, last_at, ordered) = (or_null(*first_at), or_null(*last_at), i32::from(*ordered));
        let key = key.0;
        write!(rows, "{comma}[{key},{through},{stored},{rejected},{first_at},{last_at},{ordered}]")
            .expect("writing to a String cannot fail");
    }
    if rows.len() == 1 {
        return Ok(());
    }
    rows.push(']');
    sqlx::query(
        "UPDATE sources SET through = n.value ->> 1, stored = n.value ->> 2, rejected = n.value ->> 3, \
         first_at = n.value ->> 4, last_at = n.value ->> 5, ordered = n.value ->> 6 \
         FROM json_each(?) n WHERE sources.key = n.value ->> 0",
    )
    .bind(rows)
    .execute(write)
    .await?;
    Ok(())
}

fn json_list(numbers: impl Iterator<Item = impl std::fmt::Display>) -> String {
    let mut text = String::from("[");
    for (place, number) in numbers.enumerate() {
        let comma = if place > 0 { "," } else { "" };
        write!(text, "{comma}{number}").expect("writing to a String cannot fail");
    }
    text.push(']');
    text
}
