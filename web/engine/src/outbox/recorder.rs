//! What the embedder holds of a recording: joins the sender with the database and the link.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use mien_shared::api::StoredSample;
use mien_shared::limits::MAX_FACES;
use mien_shared::{Face, Sample, SessionId};
use wasm_bindgen_futures::spawn_local;

use super::access::{SessionAccess, Unfinished};
use super::database::{self, OutboxDatabase};
use super::effect::{Effect, Save};
use super::ledger::{Ledger, Numbers};
use super::sender::Sender;
use super::status::{RecorderEvent, RecorderStatus};
use super::storage::{StorageFault, StorageMode};
use super::writer::GATHER;
use crate::browser::{DatabaseFault, LeaveGuard, steady_now};
use crate::link::{Client, Driver, Protocol};

/// Sends samples to the relay and keeps each until it is acked. A clone is the same recorder; dropping the last one
/// closes the link, and what is not acked stays on the disk for the next visit. If there is no disk it is lost:
/// [`RecorderStatus::mode`] tells.
#[derive(Clone, Debug)]
pub struct Recorder {
    shared: Rc<Shared>,
}

/// One deletion at a time; those that are due meanwhile become one.
#[derive(Clone, Copy)]
enum Deletion {
    Idle,
    Running { next: Option<u64> },
}

struct Shared {
    access: SessionAccess,
    driver: Driver<Sender>,
    database: Option<OutboxDatabase>,
    on: Box<dyn Fn(RecorderEvent)>,
    reported: RefCell<Option<RecorderStatus>>,
    /// Of those who wait for the end.
    waiters: RefCell<Vec<oneshot::Sender<()>>>,
    deletion: Cell<Deletion>,
    /// Until the link has ended.
    leave_guard: RefCell<Option<LeaveGuard>>,
}

impl Drop for Shared {
    /// What has gathered since the last write is still written; there is no one left to report to.
    fn drop(&mut self) {
        let unwritten = self.driver.protocol().borrow().unwritten();
        if let Some(Save { rows, numbers }) = unwritten
            && let Some(database) = self.database.take()
        {
            spawn_local(async move {
                let _ = database.save(&rows, numbers).await;
            });
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recorder({} {})", self.access.session, self.access.source)
    }
}

impl Recorder {
    /// Opens the outbox of this session and source, takes it over from any other tab, and connects. Never fails:
    /// without a disk it records in memory and says so.
    pub fn open<F: Fn(RecorderEvent) + 'static>(
        access: SessionAccess,
        on: F,
    ) -> impl Future<Output = Self> + use<F> {
        // Boxed here, so that all the rest is compiled once and not for every caller.
        Self::open_with(access, Box::new(on))
    }

    async fn open_with(access: SessionAccess, on: Box<dyn Fn(RecorderEvent)>) -> Self {
        let (database, ledger) = match OutboxDatabase::claim(&access).await {
            Ok((database, found)) => {
                (Some(database), Ledger::restore(StorageMode::Disk, found.numbers, found.first_key))
            }
            Err(why) => (None, Ledger::restore(StorageMode::Memory { why }, Numbers::default(), None)),
        };
        let sender = Sender::new(access.ingest_token.clone(), ledger, steady_now());
        let path = format!("/api/v1/sessions/{}/ingest", access.session);
        let driver = Driver::new(sender, access.relay_origin.clone(), path, GATHER.as_millis() as u32);
        let shared = Rc::new(Shared {
            access,
            driver,
            database,
            on,
            reported: RefCell::new(None),
            waiters: RefCell::new(Vec::new()),
            deletion: Cell::new(Deletion::Idle),
            leave_guard: RefCell::new(None),
        });
        shared.start();
        Driver::settle(&shared);
        Self { shared }
    }

    /// Tells the sender something and does what it then asks for.
    fn with<T>(&self, act: impl FnOnce(&mut Sender) -> T) -> T {
        let result = act(&mut self.sender().borrow_mut());
        Driver::settle(&self.shared);
        result
    }

    fn sender(&self) -> &RefCell<Sender> {
        self.shared.driver.protocol()
    }

    /// Records what one frame showed; the recorder numbers it, so its `seq` does not matter. Of more faces than the
    /// contract allows, the largest are kept.
    pub fn push(&self, mut sample: Sample) {
        let faces = &mut sample.faces;
        if faces.len() > MAX_FACES {
            let area = |face: &Face| face.bounds.width * face.bounds.height;
            faces.sort_by(|a, b| area(b).total_cmp(&area(a)));
            faces.truncate(MAX_FACES);
        }
        self.sender().borrow_mut().push(steady_now(), sample);
        self.shared.driver.keep_time();
        Driver::settle(&self.shared);
    }

    /// For [`crate::Engine::continue_faces`]: no face that this device has recorded of the source had this identity or
    /// a higher one, earlier visits included.
    pub fn next_face(&self) -> u32 {
        self.sender().borrow().ledger().next_face()
    }

    pub fn status(&self) -> RecorderStatus {
        self.sender().borrow().status(steady_now())
    }

    /// Resolves when the relay has answered for every sample, or the link has ended for good, or `timeout_ms` have
    /// passed. In the first case the link is closed. True if nothing is pending.
    pub async fn complete(&self, timeout_ms: u32) -> bool {
        let (tell, told) = oneshot::channel();
        self.shared.waiters.borrow_mut().push(tell);
        self.with(|sender| sender.complete(steady_now()));
        match select(told, TimeoutFuture::new(timeout_ms)).await {
            Either::Left(_) | Either::Right(_) => self.status().pending == 0,
        }
    }

    /// Connects again after the link has ended, with a token that may be a newer one; does nothing as long as it has
    /// not. False if this recorder is of no more use: another one has its outbox, so that it has to be opened anew.
    pub fn resume(&self, ingest_token: &str) -> bool {
        let resumed = self.sender().borrow_mut().resume(steady_now(), ingest_token);
        if resumed {
            self.shared.start();
        }
        Driver::settle(&self.shared);
        resumed
    }

    /// Takes another token for the connections to come; see [`RecorderEvent::TokenExpiring`].
    pub fn renew(&self, ingest_token: &str) {
        self.sender().borrow_mut().renew(steady_now(), ingest_token);
    }

    /// Every sample without an ack, in order, from disk and memory. What the disk does not yield is left out.
    pub async fn unsent(&self) -> Vec<StoredSample> {
        let on_disk = match &self.shared.database {
            Some(_) => unsent(self.shared.access.session).await,
            None => Vec::new(),
        };
        let source = &self.shared.access.source;
        let (front, cached) = {
            let sender = self.sender().borrow();
            (sender.ledger().front(), sender.ledger().cached())
        };
        let ours = on_disk.into_iter().filter(|stored| stored.source == *source).map(|stored| stored.sample);
        // Both may have one; they are the same.
        let all: BTreeMap<u64, Sample> = ours.chain(cached).map(|sample| (sample.seq, sample)).collect();
        let pending = all.into_values().filter(|sample| sample.seq >= front);
        pending.map(|sample| StoredSample { source: source.clone(), sample }).collect()
    }

    /// Closes the link at once. What is not acked stays on the disk.
    pub fn close(&self) {
        self.with(Sender::abandon);
    }
}

impl Client for Shared {
    type Protocol = Sender;

    fn driver(&self) -> &Driver<Sender> {
        &self.driver
    }

    fn perform(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::Save(save) => self.save(save),
            Effect::Delete { through_key } => self.delete(through_key),
            Effect::Read { from_key, to_key } => {
                let (database, weak) = (self.database.clone(), Rc::downgrade(self));
                spawn_local(async move {
                    let result = match database {
                        Some(database) => database.read(from_key, to_key).await,
                        None => Err(DatabaseFault::Unavailable),
                    };
                    Driver::with(&weak, |sender| sender.read(result));
                });
            }
            Effect::Rejected { seq, code, detail } => {
                (self.on)(RecorderEvent::Rejected { seq, code, detail });
            }
            Effect::TokenExpiring => (self.on)(RecorderEvent::TokenExpiring),
        }
    }

    fn settled(self: &Rc<Self>) {
        if self.driver.protocol().borrow().is_over() {
            self.leave_guard.borrow_mut().take();
            for waiter in self.waiters.borrow_mut().drain(..) {
                // It may have timed out.
                let _ = waiter.send(());
            }
        }
        self.report();
    }
}

impl Shared {
    /// Lets time pass, and writes when the page is left.
    fn start(self: &Rc<Self>) {
        Driver::start_timers(self);
        let leaving = Rc::downgrade(self);
        self.leave_guard.borrow_mut().get_or_insert_with(|| {
            LeaveGuard::new(move || {
                if let Some(shared) = leaving.upgrade() {
                    shared.save_now();
                }
            })
        });
    }

    /// The page may be gone before the disk could answer, so this write bypasses the sender. If the page stays after
    /// all, the sender writes the same rows once more.
    fn save_now(&self) {
        if let Some(Save { rows, numbers }) = self.driver.protocol().borrow().unwritten()
            && let Some(database) = &self.database
        {
            // A disk that refuses reports it to the sender as well.
            let _ = database.save_now(&rows, numbers);
        }
    }

    fn report(&self) {
        let status = self.driver.protocol().borrow().status(steady_now());
        let calm = status.without_countdown();
        if self.reported.borrow().as_ref() != Some(&calm) {
            *self.reported.borrow_mut() = Some(calm);
            (self.on)(RecorderEvent::Status(status));
        }
    }

    fn save(self: &Rc<Self>, Save { rows, numbers }: Save) {
        let (database, weak) = (self.database.clone(), Rc::downgrade(self));
        spawn_local(async move {
            let result = match database {
                Some(database) => database.save(&rows, numbers).await,
                None => Err(StorageFault::Database(DatabaseFault::Unavailable)),
            };
            Driver::with(&weak, |sender| sender.saved(steady_now(), result));
        });
    }

    fn delete(self: &Rc<Self>, through_key: u64) {
        if let Deletion::Running { next } = self.deletion.get() {
            return self.deletion.set(Deletion::Running { next: next.max(Some(through_key)) });
        }
        let Some(database) = self.database.clone() else { return };
        self.deletion.set(Deletion::Running { next: None });
        let weak = Rc::downgrade(self);
        spawn_local(async move {
            // A row that stays is acked already; it goes with a later ack, or at the next start.
            let _ = database.delete_through(through_key).await;
            if let Some(shared) = weak.upgrade()
                && let Deletion::Running { next: Some(next) } = shared.deletion.replace(Deletion::Idle)
            {
                shared.delete(next);
            }
        });
    }
}

/// Every source of this device with samples that the relay has not acked, for an app to resume with
/// [`Recorder::open`]. Empty if there is no IndexedDB.
pub async fn unfinished() -> Vec<Unfinished> {
    database::unfinished().await.unwrap_or_default()
}

/// What this device holds of a session for which the relay has not answered, by source, then by seq. Nothing is
/// removed. Empty if there is no IndexedDB.
pub async fn unsent(session: SessionId) -> Vec<StoredSample> {
    database::unsent(session).await.unwrap_or_default()
}

/// Forgets what waits for this session, for example because it was erased.
pub async fn discard(session: SessionId) {
    // Without a disk there is nothing to forget.
    let _ = database::discard(session).await;
}
