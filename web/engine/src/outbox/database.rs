//! The samples that wait, in IndexedDB.
//!
//! Two stores: `rows` holds samples by `[session, source, key]`, `books` one record per source by `[session, source]`,
//! with its numbers, its access and who may write. Opening a source takes it over; a tab that has lost it learns so at
//! its next write, in the same transaction that would have written.

use std::rc::Rc;

use mien_shared::api::StoredSample;
use mien_shared::{Sample, SessionId, SourceName};
use serde::{Deserialize, Serialize};

use super::access::{SessionAccess, Unfinished};
use super::ledger::Numbers;
use super::storage::StorageFault;
use crate::browser::indexed_db::{Database, Key, KeyRange, Store, Transaction};
use crate::browser::{DatabaseFault, random, wall_now};

pub(crate) const NAME: &str = "mien-outbox";
/// The first version had none of its stores if its opening was abandoned half-way.
const VERSION: u32 = 2;
const ROWS: &str = "rows";
const RECORDS: &str = "books";
/// A record of a source with nothing pending is kept this long, so that a session that goes on continues its numbers.
///
/// This goes by the wall clock, as no other clock lasts from one visit to the next. It may have been set in the
/// meantime: what is then removed too early is also known to the relay (`through`, and the faces of its last samples),
/// and a record from the future gets a new date, so that it is removed in the end.
const KEEP_MS: u64 = 30 * 24 * 3_600 * 1_000;

/// What is kept of one source.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    access: SessionAccess,
    numbers: Numbers,
    /// The visit that may write.
    owner: String,
    touched_ms: u64,
}

impl Record {
    /// A record of a later version that this one cannot read counts as none: its rows stay for that version.
    fn read(text: Option<String>) -> Option<Self> {
        serde_json::from_str(&text?).ok()
    }

    fn text(&self) -> Result<String, DatabaseFault> {
        serde_json::to_string(self).map_err(|_| DatabaseFault::Broken)
    }
}

/// The outbox of one source, ours to write until another visit takes it over.
#[derive(Clone, Debug)]
pub(crate) struct OutboxDatabase {
    database: Rc<Database>,
    access: SessionAccess,
    owner: String,
}

/// What a source's outbox held when it was taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) numbers: Numbers,
    pub(crate) first_key: Option<u64>,
}

async fn open() -> Result<Database, DatabaseFault> {
    Database::open(NAME, VERSION, &[ROWS, RECORDS]).await
}

impl OutboxDatabase {
    pub(crate) async fn claim(access: &SessionAccess) -> Result<(Self, Found), DatabaseFault> {
        let database = Rc::new(open().await?);
        let owner = format!("{}-{}", random(), random());
        let outbox = Self { database, access: access.clone(), owner };
        let transaction = outbox.database.begin_write()?;
        let records = transaction.store(RECORDS)?;
        let known = outbox.read_record(&records).await?;
        let numbers = known.map(|record| record.numbers).unwrap_or_default();
        outbox.write_record(&records, numbers)?;
        let first = transaction.store(ROWS)?.first_key(&outbox.range(0, u64::MAX)?)?.answer().await?;
        let first_key = first.and_then(|key| key.number_at(2));
        transaction.finished().await?;
        Ok((outbox, Found { numbers, first_key }))
    }

    /// Writes rows and numbers in one transaction, if this visit still owns the source.
    pub(crate) async fn save(&self, rows: &[(u64, Sample)], numbers: Numbers) -> Result<(), StorageFault> {
        let transaction = self.database.begin_write()?;
        let records = transaction.store(RECORDS)?;
        let known = self.read_record(&records).await?;
        if known.as_ref().is_some_and(|record| record.owner != self.owner) {
            return Err(StorageFault::TakenOver);
        }
        self.write_rows(&transaction, rows)?;
        // A write made while the page was being left may have come first, and must not be reverted.
        let ahead = known.map(|record| record.numbers).filter(|known| known.last > numbers.last);
        self.write_record(&records, ahead.unwrap_or(numbers))?;
        Ok(transaction.finished().await?)
    }

    /// Writes as the page is left: everything is requested at once and committed, as no answer would be read any more.
    /// So it cannot check who owns the source; that was checked at most one gathering ago.
    pub(crate) fn save_now(&self, rows: &[(u64, Sample)], numbers: Numbers) -> Result<(), DatabaseFault> {
        let transaction = self.database.begin_write()?;
        self.write_rows(&transaction, rows)?;
        self.write_record(&transaction.store(RECORDS)?, numbers)?;
        transaction.commit()
    }

    fn write_rows(&self, transaction: &Transaction, rows: &[(u64, Sample)]) -> Result<(), DatabaseFault> {
        let store = transaction.store(ROWS)?;
        for (key, sample) in rows {
            let text = serde_json::to_string(sample).map_err(|_| DatabaseFault::Broken)?;
            store.put(&self.key(*key), &text)?;
        }
        Ok(())
    }

    pub(crate) async fn delete_through(&self, key: u64) -> Result<(), DatabaseFault> {
        let transaction = self.database.begin_write()?;
        transaction.store(ROWS)?.delete(&self.range(0, key)?)?;
        transaction.finished().await
    }

    /// Rows by key, both ends included, in order.
    pub(crate) async fn read(&self, from: u64, to: u64) -> Result<Vec<(u64, Sample)>, DatabaseFault> {
        let transaction = self.database.begin_read()?;
        let store = transaction.store(ROWS)?;
        let range = self.range(from, to)?;
        let (keys, values) = (store.keys(&range)?, store.values(&range)?);
        let (keys, values) = (keys.answer().await?, values.answer().await?);
        keys.iter()
            .zip(values)
            .map(|(key, value)| {
                let key = key.number_at(2).ok_or(DatabaseFault::Broken)?;
                let text = value.ok_or(DatabaseFault::Broken)?;
                Ok((key, serde_json::from_str(&text).map_err(|_| DatabaseFault::Broken)?))
            })
            .collect()
    }

    async fn read_record(&self, records: &Store) -> Result<Option<Record>, DatabaseFault> {
        let key = record_key(&self.access.session, &self.access.source);
        Ok(Record::read(records.get(&key)?.answer().await?))
    }

    fn write_record(&self, records: &Store, numbers: Numbers) -> Result<(), DatabaseFault> {
        let record = Record {
            access: self.access.clone(),
            numbers,
            owner: self.owner.clone(),
            touched_ms: wall_now().0,
        };
        records.put(&record_key(&self.access.session, &self.access.source), &record.text()?)
    }

    fn key(&self, key: u64) -> Key {
        row_key(&self.access.session, &self.access.source, key)
    }

    fn range(&self, from: u64, to: u64) -> Result<KeyRange, DatabaseFault> {
        KeyRange::between(&self.key(from), &self.key(to))
    }
}

/// Sources with samples that are not acked, including those that have lost their record. Old records without any
/// samples are deleted on the way.
pub(crate) async fn unfinished() -> Result<Vec<Unfinished>, DatabaseFault> {
    let database = open().await?;
    let transaction = database.begin_write()?;
    let records = transaction.store(RECORDS)?;
    let rows = transaction.store(ROWS)?;
    let all = records.all_values()?.answer().await?;
    let (mut found, now) = (orphans(&rows, &records).await?, wall_now().0);
    for record in all.into_iter().filter_map(Record::read) {
        let SessionAccess { session, source, .. } = &record.access;
        let pending = rows.count(&all_rows(session, source)?)?.answer().await?;
        if pending > 0 {
            found.push(Unfinished {
                session: *session,
                source: source.clone(),
                access: Some(record.access),
                pending,
                touched_ms: record.touched_ms,
            });
            continue;
        }
        let key = record_key(session, source);
        if record.touched_ms > now {
            records.put(&key, &Record { touched_ms: now, ..record }.text()?)?;
        } else if now - record.touched_ms > KEEP_MS {
            records.delete_key(&key)?;
        }
    }
    transaction.finished().await?;
    Ok(found)
}

/// Sources whose samples are there without a readable record. The keys are walked from source to source.
async fn orphans(rows: &Store, records: &Store) -> Result<Vec<Unfinished>, DatabaseFault> {
    // The empty key comes before every other.
    let (mut found, mut after) = (Vec::new(), Key::default());
    loop {
        let Some(first) = rows.first_key(&KeyRange::after(&after)?)?.answer().await? else {
            return Ok(found);
        };
        let (session, source) = (first.text_at(0).unwrap_or_default(), first.text_at(1).unwrap_or_default());
        after = Key::default().text(&session).text(&source).end();
        let (Ok(session), Ok(source)) = (session.parse(), source.parse::<SourceName>()) else { continue };
        let record = records.get(&record_key(&session, &source))?.answer().await?;
        if Record::read(record).is_none() {
            let pending = rows.count(&all_rows(&session, &source)?)?.answer().await?;
            found.push(Unfinished { session, source, access: None, pending, touched_ms: 0 });
        }
    }
}

/// Every sample of a session that is kept here, by source, then by seq. What cannot be read is left out.
pub(crate) async fn unsent(session: SessionId) -> Result<Vec<StoredSample>, DatabaseFault> {
    let database = open().await?;
    let transaction = database.begin_read()?;
    let (rows, records) = (transaction.store(ROWS)?, transaction.store(RECORDS)?);
    let range = of_session(&session)?;
    let (keys, values, records) = (rows.keys(&range)?, rows.values(&range)?, records.values(&range)?);
    let (keys, values) = (keys.answer().await?, values.answer().await?);
    let records: Vec<Record> = records.answer().await?.into_iter().filter_map(Record::read).collect();
    let samples = keys.iter().zip(values).filter_map(|(key, value)| {
        let source: SourceName = key.text_at(1)?.parse().ok()?;
        let sample: Sample = serde_json::from_str(&value?).ok()?;
        let record = records.iter().find(|record| record.access.source == source);
        let seq = key.number_at(2)? + record.map_or(0, |record| record.numbers.offset);
        Some(StoredSample { source, sample: Sample { seq, ..sample } })
    });
    Ok(samples.collect())
}

/// Forgets a session, with what was not acked.
pub(crate) async fn discard(session: SessionId) -> Result<(), DatabaseFault> {
    let database = open().await?;
    let transaction = database.begin_write()?;
    let range = of_session(&session)?;
    for store in [ROWS, RECORDS] {
        transaction.store(store)?.delete(&range)?;
    }
    transaction.finished().await
}

/// All keys of a session, in either store.
fn of_session(session: &SessionId) -> Result<KeyRange, DatabaseFault> {
    let session = session.to_string();
    KeyRange::between(&Key::default().text(&session), &Key::default().text(&session).end())
}

fn record_key(session: &SessionId, source: &SourceName) -> Key {
    Key::default().text(&session.to_string()).text(source.as_str())
}

/// Keys count from 1; a number that no seq reaches stands for the end.
fn row_key(session: &SessionId, source: &SourceName, key: u64) -> Key {
    record_key(session, source).number(key)
}

fn all_rows(session: &SessionId, source: &SourceName) -> Result<KeyRange, DatabaseFault> {
    KeyRange::between(&row_key(session, source, 0), &row_key(session, source, u64::MAX))
}
