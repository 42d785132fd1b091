//! IndexedDB as typed requests. Which stores there are and what is in them is for the caller.

use std::cell::Cell;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_events::EventListener;
use gloo_timers::future::TimeoutFuture;
use js_sys::Array;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    IdbDatabase, IdbFactory, IdbKeyRange, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransaction,
    IdbTransactionMode,
};

/// A database that does not open by then is blocked by a browser bug or a stuck tab; recording must not wait for it.
const OPEN_TIMEOUT_MS: u32 = 5_000;
/// A request without an answer by then never gets one: a busy phone takes a tenth of it.
const ANSWER_TIMEOUT_MS: u32 = 10_000;

/// Why the browser's database cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseFault {
    /// No IndexedDB: private mode, or switched off.
    Unavailable,
    /// The disk, or this site's share of it, is full.
    Full,
    /// Reading or writing failed.
    Broken,
}

#[derive(Debug)]
pub(crate) struct Database {
    handle: IdbDatabase,
    stores: &'static [&'static str],
    _version_change: EventListener,
}

impl Drop for Database {
    fn drop(&mut self) {
        self.handle.close();
    }
}

impl Database {
    /// Opens the database and creates the stores that it lacks.
    pub(crate) async fn open(
        name: &str,
        version: u32,
        stores: &'static [&'static str],
    ) -> Result<Self, DatabaseFault> {
        let factory =
            web_sys::window().and_then(|window| factory(&window)).ok_or(DatabaseFault::Unavailable)?;
        let request = factory.open_with_u32(name, version).map_err(|_| DatabaseFault::Unavailable)?;
        let upgraded = request.clone();
        // The caller may be gone by the time the browser gets to it, and a database that is then made must be complete.
        EventListener::once(&request, "upgradeneeded", move |_| create_stores(&upgraded, stores)).forget();
        match select(Box::pin(answer(&request)), TimeoutFuture::new(OPEN_TIMEOUT_MS)).await {
            Either::Left((Ok(database), _)) => {
                let handle: IdbDatabase = database.dyn_into().map_err(|_| DatabaseFault::Unavailable)?;
                let closing = handle.clone();
                // A later version of this page, in another tab, must not wait for this one.
                let version_change = EventListener::new(&handle, "versionchange", move |_| closing.close());
                Ok(Self { handle, stores, _version_change: version_change })
            }
            Either::Left((Err(DatabaseFault::Full), _)) => Err(DatabaseFault::Full),
            Either::Left(_) | Either::Right(_) => Err(DatabaseFault::Unavailable),
        }
    }

    /// A transaction over all stores.
    pub(crate) fn begin_read(&self) -> Result<Transaction, DatabaseFault> {
        self.begin(IdbTransactionMode::Readonly)
    }

    pub(crate) fn begin_write(&self) -> Result<Transaction, DatabaseFault> {
        self.begin(IdbTransactionMode::Readwrite)
    }

    fn begin(&self, mode: IdbTransactionMode) -> Result<Transaction, DatabaseFault> {
        let stores: Array = self.stores.iter().map(|store| JsValue::from(*store)).collect();
        self.handle.transaction_with_str_sequence_and_mode(&stores, mode).map(Transaction).map_err(fault)
    }
}

fn factory(window: &web_sys::Window) -> Option<IdbFactory> {
    // Reading the property throws where storage is switched off.
    window.indexed_db().ok().flatten()
}

fn create_stores(request: &IdbOpenDbRequest, stores: &[&str]) {
    let Some(database) = request.result().ok().and_then(|result| result.dyn_into::<IdbDatabase>().ok())
    else {
        return;
    };
    let known = database.object_store_names();
    for store in stores.iter().filter(|store| !known.contains(store)) {
        // A failure here makes opening fail, which is where it is handled.
        let _ = database.create_object_store(store);
    }
}

#[derive(Debug)]
pub(crate) struct Transaction(IdbTransaction);

impl Transaction {
    pub(crate) fn store(&self, name: &str) -> Result<Store, DatabaseFault> {
        self.0.object_store(name).map(Store).map_err(fault)
    }

    /// Commits without waiting for the requests' answers.
    #[expect(deprecated, reason = "the binding's shape is; the method stays")]
    pub(crate) fn commit(&self) -> Result<(), DatabaseFault> {
        self.0.commit().map_err(fault)
    }

    /// Resolves when the transaction is on the disk, or has failed.
    pub(crate) async fn finished(&self) -> Result<(), DatabaseFault> {
        let (tell, told) = oneshot::channel();
        let tell = Rc::new(Cell::new(Some(tell)));
        let listen = |name: &'static str| {
            let tell = tell.clone();
            let transaction = self.0.clone();
            EventListener::new(&transaction.clone(), name, move |_| {
                if let Some(tell) = tell.take() {
                    let _ = tell.send(match name {
                        "complete" => Ok(()),
                        _ => Err(transaction
                            .error()
                            .map_or(DatabaseFault::Broken, |error| fault_named(&error.name()))),
                    });
                }
            })
        };
        let _listeners = [listen("complete"), listen("abort")];
        in_time(told).await
    }
}

#[derive(Debug)]
pub(crate) struct Store(IdbObjectStore);

impl Store {
    pub(crate) fn get(&self, key: &Key) -> Result<Request<Option<String>>, DatabaseFault> {
        let request = self.0.get(&key.0).map_err(fault)?;
        Ok(Request { request, read: |value| value.as_string() })
    }

    pub(crate) fn put(&self, key: &Key, text: &str) -> Result<(), DatabaseFault> {
        self.0.put_with_key(&text.into(), &key.0).map(drop).map_err(fault)
    }

    pub(crate) fn delete_key(&self, key: &Key) -> Result<(), DatabaseFault> {
        self.0.delete(&key.0).map(drop).map_err(fault)
    }

    pub(crate) fn delete(&self, range: &KeyRange) -> Result<(), DatabaseFault> {
        self.0.delete(&range.0).map(drop).map_err(fault)
    }

    pub(crate) fn first_key(&self, range: &KeyRange) -> Result<Request<Option<Key>>, DatabaseFault> {
        let request = self.0.get_all_keys_with_key_and_limit(&range.0, 1).map_err(fault)?;
        Ok(Request { request, read: |keys| keys_of(&keys).next() })
    }

    pub(crate) fn keys(&self, range: &KeyRange) -> Result<Request<Vec<Key>>, DatabaseFault> {
        let request = self.0.get_all_keys_with_key(&range.0).map_err(fault)?;
        Ok(Request { request, read: |keys| keys_of(&keys).collect() })
    }

    /// Texts by key; `None` for what is not a text.
    pub(crate) fn values(&self, range: &KeyRange) -> Result<Request<Vec<Option<String>>>, DatabaseFault> {
        let request = self.0.get_all_with_key(&range.0).map_err(fault)?;
        Ok(Request { request, read: |values| texts_of(&values) })
    }

    pub(crate) fn all_values(&self) -> Result<Request<Vec<Option<String>>>, DatabaseFault> {
        let request = self.0.get_all().map_err(fault)?;
        Ok(Request { request, read: |values| texts_of(&values) })
    }

    pub(crate) fn count(&self, range: &KeyRange) -> Result<Request<u64>, DatabaseFault> {
        let request = self.0.count_with_key(&range.0).map_err(fault)?;
        Ok(Request { request, read: |count| count.as_f64().unwrap_or_default() as u64 })
    }
}

fn keys_of(list: &JsValue) -> impl Iterator<Item = Key> + use<> {
    Array::from(list).into_iter().map(|key| Key(Array::from(&key)))
}

fn texts_of(list: &JsValue) -> Vec<Option<String>> {
    Array::from(list).iter().map(|value| value.as_string()).collect()
}

/// A key of several parts. Texts sort after numbers, and [`Key::end`] after both.
#[derive(Debug, Default)]
pub(crate) struct Key(Array);

impl Key {
    pub(crate) fn text(self, part: &str) -> Self {
        self.0.push(&part.into());
        self
    }

    pub(crate) fn number(self, part: u64) -> Self {
        self.0.push(&(part as f64).into());
        self
    }

    /// After every other part: arrays sort after texts and numbers.
    pub(crate) fn end(self) -> Self {
        self.0.push(&Array::new());
        self
    }

    pub(crate) fn text_at(&self, place: u32) -> Option<String> {
        self.0.get(place).as_string()
    }

    pub(crate) fn number_at(&self, place: u32) -> Option<u64> {
        self.0.get(place).as_f64().map(|number| number as u64)
    }
}

#[derive(Debug)]
pub(crate) struct KeyRange(IdbKeyRange);

impl KeyRange {
    /// Both ends included.
    pub(crate) fn between(from: &Key, to: &Key) -> Result<Self, DatabaseFault> {
        IdbKeyRange::bound(&from.0, &to.0).map(Self).map_err(fault)
    }

    /// Every key after this one.
    pub(crate) fn after(key: &Key) -> Result<Self, DatabaseFault> {
        IdbKeyRange::lower_bound_with_open(&key.0, true).map(Self).map_err(fault)
    }
}

/// A request that is made already and not answered yet.
#[derive(Debug)]
pub(crate) struct Request<T> {
    request: IdbRequest,
    read: fn(JsValue) -> T,
}

impl<T> Request<T> {
    pub(crate) async fn answer(self) -> Result<T, DatabaseFault> {
        answer(&self.request).await.map(self.read)
    }
}

/// Resolves with the request's result. It wakes in the very task of the event, so that the transaction stays open for
/// further requests.
async fn answer(request: &IdbRequest) -> Result<JsValue, DatabaseFault> {
    let (tell, told) = oneshot::channel();
    let tell = Rc::new(Cell::new(Some(tell)));
    let asked = request.clone();
    let done = Closure::<dyn FnMut(web_sys::Event)>::new({
        let tell = tell.clone();
        move |event: web_sys::Event| {
            let result = if event.type_() == "success" {
                asked.result().map_err(fault)
            } else {
                // The transaction then aborts and reports why.
                Err(request_fault(&asked))
            };
            if let Some(tell) = tell.take() {
                // The receiver may have timed out.
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

/// Waits in two halves: in a page that was frozen, the timer may be due before an answer that came long ago.
async fn in_time<T>(mut told: oneshot::Receiver<Result<T, DatabaseFault>>) -> Result<T, DatabaseFault> {
    for _ in 0..2 {
        if let Either::Left((answer, _)) = select(&mut told, TimeoutFuture::new(ANSWER_TIMEOUT_MS / 2)).await
        {
            return answer.unwrap_or(Err(DatabaseFault::Broken));
        }
    }
    Err(DatabaseFault::Broken)
}

fn request_fault(request: &IdbRequest) -> DatabaseFault {
    request.error().ok().flatten().map_or(DatabaseFault::Broken, |error| fault_named(&error.name()))
}

fn fault_named(name: &str) -> DatabaseFault {
    match name {
        "QuotaExceededError" => DatabaseFault::Full,
        "InvalidStateError" | "SecurityError" | "UnknownError" => DatabaseFault::Unavailable,
        _ => DatabaseFault::Broken,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn fault(thrown: JsValue) -> DatabaseFault {
    thrown
        .dyn_ref::<web_sys::DomException>()
        .map_or(DatabaseFault::Broken, |exception| fault_named(&exception.name()))
}
