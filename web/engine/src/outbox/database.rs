//! The samples that wait, in IndexedDB.
//!
//! Two stores: `rows` holds samples by `[session, source, key]`, `books` one record for each source by
//! `[session, source]`, with its numbers, its access and who may write. Opening a source takes it over; a tab
//! that has lost it is told at its next write, in the same transaction that would have written.

use std::cell::Cell;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_events::EventListener;
use gloo_timers::future::TimeoutFuture;
use js_sys::Array;
use mien_shared::api::StoredSample;
use mien_shared::{Sample, SessionId, SourceName};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    IdbDatabase, IdbFactory, IdbKeyRange, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransaction,
    IdbTransactionMode,
};

use super::ledger::Numbers;
use super::sender::DiskFault;
use super::status::{SessionAccess, Unfinished};
use crate::browser::{random, wall_now};

pub(crate) const DATABASE: &str = "mien-outbox";
/// The first version had, where its opening was given up half-way, none of its stores.
const VERSION: u32 = 2;
const ROWS: &str = "rows";
const BOOKS: &str = "books";
/// A database that does not open by then is held by a browser bug or a stuck tab; recording must not wait.
const OPEN_MS: u32 = 5_000;
/// What the disk has not done by then it never does: a busy phone takes a tenth of it.
const ANSWER_MS: u32 = 10_000;
/// A record of a source with nothing pending is kept this long, so that a session that goes on is numbered on.
///
/// By the wall clock, as no other reaches from one visit to the next. It may have been set meanwhile: what then goes
/// too early the relay knows as well (`through`, and the faces of its last samples), and what lies ahead of the clock
/// is dated anew, so that it goes in the end.
const KEEP_MS: u64 = 30 * 24 * 3_600 * 1_000;

/// What is kept of one source.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Book {
    access: SessionAccess,
    numbers: Numbers,
    /// The visit that may write.
    owner: String,
    touched_ms: u64,
}

/// The outbox of one source, ours to write until another visit takes it over.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
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

#[derive(Debug)]
struct Database {
    handle: IdbDatabase,
    _makes_way: EventListener,
}

impl Drop for Database {
    fn drop(&mut self) {
        self.handle.close();
    }
}

impl Disk {
    pub(crate) async fn claim(access: &SessionAccess) -> Result<(Self, Found), DiskFault> {
        let database = Rc::new(Database::open(DATABASE).await?);
        let owner = format!("{}-{}", random(), random());
        let disk = Self { database, access: access.clone(), owner };
        let transaction = disk.database.begin(IdbTransactionMode::Readwrite)?;
        let books = transaction.object_store(BOOKS).map_err(fault)?;
        let known = disk.read_book(&books).await?;
        let numbers = known.map(|book| book.numbers).unwrap_or_default();
        disk.write_book(&books, numbers)?;
        let rows = transaction.object_store(ROWS).map_err(fault)?;
        let keys =
            answer(&rows.get_all_keys_with_key_and_limit(&disk.range(0, u64::MAX)?, 1).map_err(fault)?)
                .await?;
        let first_key = Array::from(&keys).iter().next().and_then(|key| Array::from(&key).get(2).as_f64());
        finished(&transaction).await?;
        Ok((disk, Found { numbers, first_key: first_key.map(|key| key as u64) }))
    }

    /// Writes rows and numbers in one transaction, if this visit still owns the source.
    pub(crate) async fn save(&self, rows: &[(u64, Sample)], numbers: Numbers) -> Result<(), DiskFault> {
        let transaction = self.database.begin(IdbTransactionMode::Readwrite)?;
        let books = transaction.object_store(BOOKS).map_err(fault)?;
        let known = self.read_book(&books).await?;
        if known.as_ref().is_some_and(|book| book.owner != self.owner) {
            return Err(DiskFault::TakenOver);
        }
        self.write_rows(&transaction, rows)?;
        // What was written as the page went may have come first, and must not be taken back.
        let ahead = known.map(|book| book.numbers).filter(|known| known.last > numbers.last);
        self.write_book(&books, ahead.unwrap_or(numbers))?;
        finished(&transaction).await
    }

    /// Writes as the page goes: all is asked for at once and committed unheard, as no answer would be read any
    /// more. So it cannot ask who owns the source; that was asked at most one gathering ago.
    #[expect(deprecated, reason = "the binding's shape is; the method stays")]
    pub(crate) fn save_at_last(&self, rows: &[(u64, Sample)], numbers: Numbers) -> Result<(), DiskFault> {
        let transaction = self.database.begin(IdbTransactionMode::Readwrite)?;
        self.write_rows(&transaction, rows)?;
        self.write_book(&transaction.object_store(BOOKS).map_err(fault)?, numbers)?;
        transaction.commit().map_err(fault)
    }

    fn write_rows(&self, transaction: &IdbTransaction, rows: &[(u64, Sample)]) -> Result<(), DiskFault> {
        let store = transaction.object_store(ROWS).map_err(fault)?;
        for (key, sample) in rows {
            let text = serde_json::to_string(sample).map_err(|_| DiskFault::Broken)?;
            store.put_with_key(&text.into(), &self.key(*key)).map_err(fault)?;
        }
        Ok(())
    }

    pub(crate) async fn delete_through(&self, key: u64) -> Result<(), DiskFault> {
        let transaction = self.database.begin(IdbTransactionMode::Readwrite)?;
        let store = transaction.object_store(ROWS).map_err(fault)?;
        store.delete(&self.range(0, key)?).map_err(fault)?;
        finished(&transaction).await
    }

    /// Rows by key, both ends included, in order.
    pub(crate) async fn read(&self, from: u64, to: u64) -> Result<Vec<(u64, Sample)>, DiskFault> {
        let transaction = self.database.begin(IdbTransactionMode::Readonly)?;
        let store = transaction.object_store(ROWS).map_err(fault)?;
        let range = self.range(from, to)?;
        let keys = store.get_all_keys_with_key(&range).map_err(fault)?;
        let values = store.get_all_with_key(&range).map_err(fault)?;
        let keys = Array::from(&answer(&keys).await?);
        let values = Array::from(&answer(&values).await?);
        keys.iter()
            .zip(values.iter())
            .map(|(key, value)| {
                let key = Array::from(&key).get(2).as_f64().ok_or(DiskFault::Broken)?;
                let text = value.as_string().ok_or(DiskFault::Broken)?;
                Ok((key as u64, serde_json::from_str(&text).map_err(|_| DiskFault::Broken)?))
            })
            .collect()
    }

    async fn read_book(&self, books: &IdbObjectStore) -> Result<Option<Book>, DiskFault> {
        let key = book_key(&self.access.session, &self.access.source);
        let value = answer(&books.get(&key).map_err(fault)?).await?;
        // A record of a later version that this one cannot read counts as none: rows stay for that version.
        Ok(value.as_string().and_then(|text| serde_json::from_str(&text).ok()))
    }

    fn write_book(&self, books: &IdbObjectStore, numbers: Numbers) -> Result<(), DiskFault> {
        let book = Book {
            access: self.access.clone(),
            numbers,
            owner: self.owner.clone(),
            touched_ms: wall_now().0,
        };
        let text = serde_json::to_string(&book).map_err(|_| DiskFault::Broken)?;
        let key = book_key(&self.access.session, &self.access.source);
        books.put_with_key(&text.into(), &key).map_err(fault)?;
        Ok(())
    }

    fn key(&self, key: u64) -> Array {
        row_key(&self.access.session, &self.access.source, key)
    }

    fn range(&self, from: u64, to: u64) -> Result<JsValue, DiskFault> {
        Ok(IdbKeyRange::bound(&self.key(from), &self.key(to)).map_err(fault)?.into())
    }
}

/// Sources with samples that are not acked, those that have lost their record included. Old records without any
/// samples are cleared on the way.
pub(crate) async fn unfinished() -> Result<Vec<Unfinished>, DiskFault> {
    let database = Database::open(DATABASE).await?;
    let transaction = database.begin(IdbTransactionMode::Readwrite)?;
    let books = transaction.object_store(BOOKS).map_err(fault)?;
    let rows = transaction.object_store(ROWS).map_err(fault)?;
    let all = Array::from(&answer(&books.get_all().map_err(fault)?).await?);
    let (mut found, now) = (orphans(&rows, &books).await?, wall_now().0);
    for value in all.iter() {
        let Some(book) = value.as_string().and_then(|text| serde_json::from_str::<Book>(&text).ok()) else {
            continue;
        };
        let pending = count(&rows, &all_rows(&book.access.session, &book.access.source)?).await?;
        if pending > 0 {
            found.push(Unfinished {
                session: book.access.session,
                source: book.access.source.clone(),
                access: Some(book.access),
                pending,
                touched_ms: book.touched_ms,
            });
            continue;
        }
        let key = book_key(&book.access.session, &book.access.source);
        if book.touched_ms > now {
            let text = serde_json::to_string(&Book { touched_ms: now, ..book });
            books.put_with_key(&text.map_err(|_| DiskFault::Broken)?.into(), &key).map_err(fault)?;
        } else if now - book.touched_ms > KEEP_MS {
            books.delete(&key).map_err(fault)?;
        }
    }
    finished(&transaction).await?;
    Ok(found)
}

/// Sources whose samples are there without a record that can be read. The keys are walked from source to source.
async fn orphans(rows: &IdbObjectStore, books: &IdbObjectStore) -> Result<Vec<Unfinished>, DiskFault> {
    let (mut found, mut after) = (Vec::new(), Array::new());
    loop {
        // The empty array comes before every key, and an array after every number.
        let rest = IdbKeyRange::lower_bound_with_open(&after, true).map_err(fault)?;
        let keys = rows.get_all_keys_with_key_and_limit(&rest, 1).map_err(fault)?;
        let Some(first) = Array::from(&answer(&keys).await?).iter().next() else { return Ok(found) };
        let first = Array::from(&first);
        let (session, source) = (first.get(0), first.get(1));
        after = Array::of3(&session, &source, &Array::new());
        let name = |value: &JsValue| value.as_string().unwrap_or_default();
        let (Ok(session), Ok(source)) = (name(&session).parse(), name(&source).parse::<SourceName>()) else {
            continue;
        };
        let book = answer(&books.get(&book_key(&session, &source)).map_err(fault)?).await?;
        if book.as_string().and_then(|text| serde_json::from_str::<Book>(&text).ok()).is_none() {
            let pending = count(rows, &all_rows(&session, &source)?).await?;
            found.push(Unfinished { session, source, access: None, pending, touched_ms: 0 });
        }
    }
}

async fn count(rows: &IdbObjectStore, range: &IdbKeyRange) -> Result<u64, DiskFault> {
    let counted = answer(&rows.count_with_key(range).map_err(fault)?).await?;
    Ok(counted.as_f64().unwrap_or_default() as u64)
}

/// Every sample of a session that is kept here, by source, then by seq. What cannot be read is left out.
pub(crate) async fn unsent(session: SessionId) -> Result<Vec<StoredSample>, DiskFault> {
    let database = Database::open(DATABASE).await?;
    let transaction = database.begin(IdbTransactionMode::Readonly)?;
    let rows = transaction.object_store(ROWS).map_err(fault)?;
    let books = transaction.object_store(BOOKS).map_err(fault)?;
    let range = of_session(&session)?;
    let keys = rows.get_all_keys_with_key(&range).map_err(fault)?;
    let values = rows.get_all_with_key(&range).map_err(fault)?;
    let records = books.get_all_with_key(&range).map_err(fault)?;
    let keys = Array::from(&answer(&keys).await?);
    let values = Array::from(&answer(&values).await?);
    let records = Array::from(&answer(&records).await?);
    let books: Vec<Book> = records
        .iter()
        .filter_map(|value| serde_json::from_str(&value.as_string().unwrap_or_default()).ok())
        .collect();
    let samples = keys.iter().zip(values.iter()).filter_map(|(key, value)| {
        let key = Array::from(&key);
        let source: SourceName = key.get(1).as_string()?.parse().ok()?;
        let sample: Sample = serde_json::from_str(&value.as_string()?).ok()?;
        let book = books.iter().find(|book| book.access.source == source);
        let seq = key.get(2).as_f64()? as u64 + book.map_or(0, |book| book.numbers.offset);
        Some(StoredSample { source, sample: Sample { seq, ..sample } })
    });
    Ok(samples.collect())
}

/// Forgets a session, with what was not acked.
pub(crate) async fn discard(session: SessionId) -> Result<(), DiskFault> {
    let database = Database::open(DATABASE).await?;
    let transaction = database.begin(IdbTransactionMode::Readwrite)?;
    let range = of_session(&session)?;
    for store in [ROWS, BOOKS] {
        transaction.object_store(store).map_err(fault)?.delete(&range).map_err(fault)?;
    }
    finished(&transaction).await
}

/// All keys of a session, in either store.
fn of_session(session: &SessionId) -> Result<IdbKeyRange, DiskFault> {
    let name = JsValue::from(session.to_string());
    // An array sorts after every text and number.
    IdbKeyRange::bound(&Array::of1(&name), &Array::of2(&name, &Array::new())).map_err(fault)
}

fn book_key(session: &SessionId, source: &SourceName) -> Array {
    Array::of2(&session.to_string().into(), &source.as_str().into())
}

fn row_key(session: &SessionId, source: &SourceName, key: u64) -> Array {
    Array::of3(
        &session.to_string().into(),
        &source.as_str().into(),
        // Keys count from 1; what no seq reaches stands for the end.
        &(key as f64).into(),
    )
}

fn all_rows(session: &SessionId, source: &SourceName) -> Result<IdbKeyRange, DiskFault> {
    IdbKeyRange::bound(&row_key(session, source, 0), &row_key(session, source, u64::MAX)).map_err(fault)
}

impl Database {
    async fn open(name: &str) -> Result<Self, DiskFault> {
        let factory = web_sys::window().and_then(|window| factory(&window)).ok_or(DiskFault::Unavailable)?;
        let request = factory.open_with_u32(name, VERSION).map_err(|_| DiskFault::Unavailable)?;
        let upgraded = request.clone();
        // Whoever asked may be gone before the browser gets to it: a database that is then made must be whole.
        EventListener::once(&request, "upgradeneeded", move |_| create_stores(&upgraded)).forget();
        match select(Box::pin(answer(&request)), TimeoutFuture::new(OPEN_MS)).await {
            Either::Left((Ok(database), _)) => {
                let database: IdbDatabase = database.dyn_into().map_err(|_| DiskFault::Unavailable)?;
                let handle = database.clone();
                // A later version of this page, in another tab, must not wait for this one.
                let makes_way = EventListener::new(&database, "versionchange", move |_| handle.close());
                Ok(Self { handle: database, _makes_way: makes_way })
            }
            Either::Left((Err(DiskFault::Full), _)) => Err(DiskFault::Full),
            Either::Left(_) | Either::Right(_) => Err(DiskFault::Unavailable),
        }
    }

    fn begin(&self, mode: IdbTransactionMode) -> Result<IdbTransaction, DiskFault> {
        let stores = Array::of2(&ROWS.into(), &BOOKS.into());
        self.handle.transaction_with_str_sequence_and_mode(&stores, mode).map_err(fault)
    }
}

fn factory(window: &web_sys::Window) -> Option<IdbFactory> {
    // Reading the property throws where storage is switched off.
    window.indexed_db().ok().flatten()
}

fn create_stores(request: &IdbOpenDbRequest) {
    let Some(database) = request.result().ok().and_then(|result| result.dyn_into::<IdbDatabase>().ok())
    else {
        return;
    };
    let known = database.object_store_names();
    for store in [ROWS, BOOKS].into_iter().filter(|store| !known.contains(store)) {
        // A failure here fails the opening, which is where it is dealt with.
        let _ = database.create_object_store(store);
    }
}

/// Resolves with the request's result. It wakes in the very task of the event, so the transaction stays open
/// for what follows.
async fn answer(request: &IdbRequest) -> Result<JsValue, DiskFault> {
    let (tell, told) = oneshot::channel();
    let tell = Rc::new(Cell::new(Some(tell)));
    let asked = request.clone();
    let done = Closure::<dyn FnMut(web_sys::Event)>::new({
        let tell = tell.clone();
        move |event: web_sys::Event| {
            let result = if event.type_() == "success" {
                asked.result().map_err(fault)
            } else {
                // The transaction then aborts, and says why by itself.
                Err(request_fault(&asked))
            };
            if let Some(tell) = tell.take() {
                // Nobody listens after a timeout.
                let _ = tell.send(result);
            }
        }
    });
    request.set_onsuccess(Some(done.as_ref().unchecked_ref()));
    request.set_onerror(Some(done.as_ref().unchecked_ref()));
    let _guard = Unlisten { request: request.clone(), _callback: done };
    in_time(told).await
}

/// Takes the callbacks off before they are freed.
struct Unlisten {
    request: IdbRequest,
    _callback: Closure<dyn FnMut(web_sys::Event)>,
}

impl Drop for Unlisten {
    fn drop(&mut self) {
        self.request.set_onsuccess(None);
        self.request.set_onerror(None);
    }
}

/// Resolves when the transaction is on the disk, or has failed.
async fn finished(transaction: &IdbTransaction) -> Result<(), DiskFault> {
    let (tell, told) = oneshot::channel();
    let tell = Rc::new(Cell::new(Some(tell)));
    let listen = |name: &'static str| {
        let tell = tell.clone();
        let transaction = transaction.clone();
        EventListener::new(&transaction.clone(), name, move |_| {
            if let Some(tell) = tell.take() {
                let _ = tell.send(match name {
                    "complete" => Ok(()),
                    _ => Err(transaction.error().map_or(DiskFault::Broken, |error| named(&error.name()))),
                });
            }
        })
    };
    let _listeners = [listen("complete"), listen("abort")];
    in_time(told).await
}

/// Waits in two halves: in a page that was frozen the timer may be due before the disk's answer of long ago.
async fn in_time<T>(mut told: oneshot::Receiver<Result<T, DiskFault>>) -> Result<T, DiskFault> {
    for _ in 0..2 {
        if let Either::Left((answer, _)) = select(&mut told, TimeoutFuture::new(ANSWER_MS / 2)).await {
            return answer.unwrap_or(Err(DiskFault::Broken));
        }
    }
    Err(DiskFault::Broken)
}

fn request_fault(request: &IdbRequest) -> DiskFault {
    request.error().ok().flatten().map_or(DiskFault::Broken, |error| named(&error.name()))
}

fn named(name: &str) -> DiskFault {
    match name {
        "QuotaExceededError" => DiskFault::Full,
        "InvalidStateError" | "SecurityError" | "UnknownError" => DiskFault::Unavailable,
        _ => DiskFault::Broken,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn fault(thrown: JsValue) -> DiskFault {
    thrown.dyn_ref::<web_sys::DomException>().map_or(DiskFault::Broken, |exception| named(&exception.name()))
}
