//! Joins a recording's state machine with the disk, the socket and the clock.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_timers::callback::Interval;
use gloo_timers::future::TimeoutFuture;
use mien_shared::api::StoredSample;
use mien_shared::limits::MAX_FACES;
use mien_shared::{Face, Sample, SessionId};
use wasm_bindgen_futures::spawn_local;

use super::database::{self, Disk};
use super::ledger::{Ledger, Numbers, Shelf};
use super::sender::{DiskFault, Effect, GATHER, Sender};
use super::status::{
    LinkState, MemoryReason, RecorderEvent, RecorderStatus, SessionAccess, StorageMode, Unfinished,
};
use crate::browser::socket::{BROKEN, Socket, SocketEvent};
use crate::browser::{LeaveGuard, OnlineGuard, page_base, random, reach, steady_now};

/// Sends samples to the relay and keeps each until it is acked. A clone is the same recorder; dropping the last
/// one closes the link, and what is not acked stays on the disk for the next visit. Where there is no disk it is
/// gone: [`RecorderStatus::mode`] says so.
#[derive(Clone, Debug)]
pub struct Recorder {
    shared: Rc<Shared>,
}

struct Shared {
    access: SessionAccess,
    sender: RefCell<Sender>,
    disk: Option<Disk>,
    socket: RefCell<Option<Socket>>,
    on: Box<dyn Fn(RecorderEvent)>,
    told: RefCell<Option<RecorderStatus>>,
    waiters: RefCell<Vec<oneshot::Sender<()>>>,
    deleting: Cell<bool>,
    delete_next: Cell<Option<u64>>,
    /// Whether HTTP is being asked why a socket did not open.
    probing: Cell<bool>,
    /// Ticks and guards, until the link has ended.
    clock: RefCell<Option<(Interval, OnlineGuard, LeaveGuard)>>,
}

impl Drop for Shared {
    /// What has gathered since the last write is written still; nobody is left to hear of it.
    fn drop(&mut self) {
        if let Some((rows, numbers)) = self.sender.get_mut().unwritten()
            && let Some(disk) = self.disk.take()
        {
            spawn_local(async move {
                let _ = disk.save(&rows, numbers).await;
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
    /// Opens the outbox of this session and source, takes it over from any other tab, and connects.
    /// Never fails: without a disk it records in memory and says so.
    pub async fn open(access: SessionAccess, on: impl Fn(RecorderEvent) + 'static) -> Self {
        let (disk, ledger, mode) = match Disk::claim(&access).await {
            Ok((disk, found)) => {
                let ledger = Ledger::restore(Shelf::Disk, found.numbers, found.first_key);
                (Some(disk), ledger, StorageMode::Disk)
            }
            Err(fault) => {
                let why = match fault {
                    DiskFault::Full => MemoryReason::DiskFull,
                    DiskFault::Unavailable => MemoryReason::Unavailable,
                    DiskFault::Broken | DiskFault::TakenOver => MemoryReason::Broken,
                };
                let ledger = Ledger::restore(Shelf::Memory, Numbers::default(), None);
                (None, ledger, StorageMode::Memory { why })
            }
        };
        let sender = Sender::new(access.ingest_token.clone(), ledger, mode, steady_now());
        let shared = Rc::new(Shared {
            access,
            sender: RefCell::new(sender),
            disk,
            socket: RefCell::new(None),
            on: Box::new(on),
            told: RefCell::new(None),
            waiters: RefCell::new(Vec::new()),
            deleting: Cell::new(false),
            delete_next: Cell::new(None),
            probing: Cell::new(false),
            clock: RefCell::new(None),
        });
        shared.start_clock();
        shared.settle();
        Self { shared }
    }

    /// Records what one frame showed; the recorder numbers it, so its `seq` does not matter. Faces over the
    /// contract's limit are left out, the largest are kept.
    pub fn push(&self, mut sample: Sample) {
        let faces = &mut sample.faces;
        if faces.len() > MAX_FACES {
            let area = |face: &Face| face.bounds.width * face.bounds.height;
            faces.sort_by(|a, b| area(b).total_cmp(&area(a)));
            faces.truncate(MAX_FACES);
        }
        self.shared.sender.borrow_mut().push(steady_now(), sample);
        self.shared.settle();
    }

    /// For [`crate::Engine::continue_faces`]: no face that this device has recorded of the source had this
    /// identity or a higher one, earlier visits included.
    pub fn next_face(&self) -> u32 {
        self.shared.sender.borrow().ledger.next_face()
    }

    pub fn status(&self) -> RecorderStatus {
        self.shared.sender.borrow().status(steady_now())
    }

    /// Resolves when the relay has answered for every sample, or the link has ended for good, or `patience_ms`
    /// have passed. In the first case the link is closed. True when nothing is pending.
    pub async fn complete(&self, patience_ms: u32) -> bool {
        let (tell, told) = oneshot::channel();
        self.shared.waiters.borrow_mut().push(tell);
        self.shared.sender.borrow_mut().complete(steady_now());
        self.shared.settle();
        match select(told, TimeoutFuture::new(patience_ms)).await {
            Either::Left(_) | Either::Right(_) => self.status().pending == 0,
        }
    }

    /// Connects again after the link has ended, with a token that may be a newer one; changes nothing while it has
    /// not. False where this recorder is of no more use: another has its outbox, so that it has to be opened anew.
    pub fn resume(&self, ingest_token: &str) -> bool {
        let goes_on = self.shared.sender.borrow_mut().resume(steady_now(), ingest_token);
        if goes_on && self.shared.clock.borrow().is_none() {
            self.shared.start_clock();
        }
        self.shared.settle();
        goes_on
    }

    /// Takes another token, with which connections to come begin; see [`RecorderEvent::WantsToken`].
    pub fn renew(&self, ingest_token: &str) {
        self.shared.sender.borrow_mut().renew(steady_now(), ingest_token);
    }

    /// Every sample that has no ack yet, in order, from disk and memory. What the disk does not give is left out.
    pub async fn unsent(&self) -> Vec<StoredSample> {
        let on_disk = match &self.shared.disk {
            Some(_) => unsent(self.shared.access.session).await,
            None => Vec::new(),
        };
        let source = &self.shared.access.source;
        let (front, held) = {
            let sender = self.shared.sender.borrow();
            (sender.ledger.front(), sender.ledger.held())
        };
        let ours = on_disk.into_iter().filter(|stored| stored.source == *source).map(|stored| stored.sample);
        // Both may have one; they are the same.
        let all: BTreeMap<u64, Sample> = ours.chain(held).map(|sample| (sample.seq, sample)).collect();
        let pending = all.into_values().filter(|sample| sample.seq >= front);
        pending.map(|sample| StoredSample { source: source.clone(), sample }).collect()
    }

    /// Closes the link at once. What is not acked stays on the disk.
    pub fn close(&self) {
        self.shared.sender.borrow_mut().abandon();
        self.shared.settle();
    }
}

impl Shared {
    fn with(weak: &Weak<Self>, act: impl FnOnce(&mut Sender)) {
        if let Some(shared) = weak.upgrade() {
            act(&mut shared.sender.borrow_mut());
            shared.settle();
        }
    }

    fn start_clock(self: &Rc<Self>) {
        let [ticking, online, leaving] = [(); 3].map(|()| Rc::downgrade(self));
        let interval = Interval::new(GATHER.as_millis() as u32, move || {
            Self::with(&ticking, |sender| sender.tick(steady_now(), random()));
        });
        let online = OnlineGuard::new(move || Self::with(&online, |sender| sender.online(steady_now())));
        let leaving = LeaveGuard::new(move || {
            if let Some(shared) = leaving.upgrade() {
                shared.write_at_last();
            }
        });
        *self.clock.borrow_mut() = Some((interval, online, leaving));
    }

    /// The page may be gone before the disk could answer, so this write goes past the machine. If the page stays
    /// after all, the machine writes the same rows once more.
    fn write_at_last(&self) {
        if let Some((rows, numbers)) = self.sender.borrow().unwritten()
            && let Some(disk) = &self.disk
        {
            // A disk that refuses says so to the machine as well.
            let _ = disk.save_at_last(&rows, numbers);
        }
    }

    /// Does what the machine asks until it asks for nothing, then tells the news.
    fn settle(self: &Rc<Self>) {
        loop {
            let effects = self.sender.borrow_mut().take_effects();
            if effects.is_empty() {
                break;
            }
            for effect in effects {
                self.perform(effect);
            }
        }
        if self.sender.borrow().is_over() {
            self.clock.borrow_mut().take();
            for waiter in self.waiters.borrow_mut().drain(..) {
                // Whoever waited may have lost patience.
                let _ = waiter.send(());
            }
        }
        self.tell();
    }

    fn tell(&self) {
        let status = self.sender.borrow().status(steady_now());
        let news = {
            let mut told = self.told.borrow_mut();
            // A countdown alone is no news.
            let news = told.as_ref().is_none_or(|before| calm(before) != calm(&status));
            if news {
                *told = Some(status.clone());
            }
            news
        };
        if news {
            (self.on)(RecorderEvent::Status(status));
        }
    }

    fn perform(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::Connect => self.connect(),
            Effect::Send(text) => {
                if let Some(socket) = self.socket.borrow().as_ref() {
                    socket.send(&text);
                }
            }
            Effect::Close => drop(self.socket.borrow_mut().take()),
            Effect::Save { rows, numbers } => self.save(rows, numbers),
            Effect::SaveNumbers(numbers) => self.save(Vec::new(), numbers),
            Effect::Delete { through_key } => self.delete(through_key),
            Effect::Read { from_key, to_key } => {
                let (disk, weak) = (self.disk.clone(), Rc::downgrade(self));
                spawn_local(async move {
                    let result = match disk {
                        Some(disk) => disk.read(from_key, to_key).await,
                        None => Err(DiskFault::Unavailable),
                    };
                    Self::with(&weak, |sender| sender.read(result));
                });
            }
            Effect::Rejected { seq, code, detail } => {
                (self.on)(RecorderEvent::Rejected { seq, code, detail });
            }
            Effect::Probe => self.probe(),
            Effect::WantToken => (self.on)(RecorderEvent::WantsToken),
        }
    }

    fn path(&self) -> String {
        format!("/api/v1/sessions/{}/ingest", self.access.session)
    }

    /// One at a time.
    fn probe(self: &Rc<Self>) {
        if self.probing.replace(true) {
            return;
        }
        let (weak, path) = (Rc::downgrade(self), self.path());
        spawn_local(async move {
            // By way of the page's own address: its policy lets it speak to no other by HTTP.
            let reach = reach(&page_base(), &path).await;
            if let Some(shared) = weak.upgrade() {
                shared.probing.set(false);
            }
            Self::with(&weak, |sender| sender.reached(reach));
        });
    }

    fn connect(self: &Rc<Self>) {
        let (weak, path) = (Rc::downgrade(self), self.path());
        let opened = Socket::open(&self.access.relay_origin, &path, move |event| {
            Self::with(&weak, |sender| match event {
                SocketEvent::Opened => sender.opened(steady_now()),
                SocketEvent::Text(text) => sender.message(steady_now(), &text, random()),
                SocketEvent::Closed(code) => sender.closed(steady_now(), code, random()),
            });
        });
        match opened {
            Ok(socket) => drop(self.socket.borrow_mut().replace(socket)),
            // The address itself is refused; it counts as a connection that broke.
            Err(_) => self.sender.borrow_mut().closed(steady_now(), BROKEN, random()),
        }
    }

    fn save(self: &Rc<Self>, rows: Vec<(u64, mien_shared::Sample)>, numbers: Numbers) {
        let (disk, weak) = (self.disk.clone(), Rc::downgrade(self));
        spawn_local(async move {
            let result = match disk {
                Some(disk) => disk.save(&rows, numbers).await,
                None => Err(DiskFault::Unavailable),
            };
            Self::with(&weak, |sender| sender.saved(steady_now(), result));
        });
    }

    /// One deletion at a time; those asked for meanwhile become one.
    fn delete(self: &Rc<Self>, through_key: u64) {
        if self.deleting.get() {
            self.delete_next.set(self.delete_next.get().max(Some(through_key)));
            return;
        }
        let Some(disk) = self.disk.clone() else { return };
        self.deleting.set(true);
        let weak = Rc::downgrade(self);
        spawn_local(async move {
            // A row that stays is acked already; it is deleted with a later ack, or trimmed at the next start.
            let _ = disk.delete_through(through_key).await;
            if let Some(shared) = weak.upgrade() {
                shared.deleting.set(false);
                if let Some(next) = shared.delete_next.take() {
                    shared.delete(next);
                }
            }
        });
    }
}

fn calm(status: &RecorderStatus) -> RecorderStatus {
    let link = match &status.link {
        LinkState::Offline { .. } => LinkState::Offline { retry_in_ms: 0 },
        LinkState::Throttled { .. } => LinkState::Throttled { retry_in_ms: 0 },
        other => other.clone(),
    };
    RecorderStatus { link, ..status.clone() }
}

/// Every source of this device with samples that the relay has not acked, for an app to resume with
/// [`Recorder::open`]. Empty where there is no IndexedDB.
pub async fn unfinished() -> Vec<Unfinished> {
    database::unfinished().await.unwrap_or_default()
}

/// What this device holds of a session for which the relay has not answered, by source, then by seq. Nothing is taken
/// away. Empty where there is no IndexedDB.
pub async fn unsent(session: SessionId) -> Vec<StoredSample> {
    database::unsent(session).await.unwrap_or_default()
}

/// Forgets what waits for this session, for example because it was erased.
pub async fn discard(session: SessionId) {
    // Without a disk there is nothing to forget.
    let _ = database::discard(session).await;
}
