//! The pool at work: real workers behind the scheduling of `pool`.
//!
//! Each frame that goes out has one end: its answer, in order of capture, or a count as lost. A worker that
//! does not answer in time is taken for dead.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use gloo_timers::callback::Interval;
use gloo_timers::future::TimeoutFuture;
use mien_messages::{FrameHeader, FrameId, FromWorker, Scope, WorkerFault};
use mien_models::Detection;
use wasm_bindgen_futures::spawn_local;

use super::order::Order;
use super::schedule::{Action, Pool, Slot};
use crate::browser::worker::{PortEvent, WorkerKit, WorkerPort};
use crate::browser::{Bitmap, FrameImage, steady_now};
use crate::clock::{Captured, Steady};
use crate::faults::LoadFault;
use crate::load::startup::{self, StartFault};
use crate::run::Stamp;

/// The slowest machine we know takes a tenth of this for a large picture with many faces.
const ANSWER: Duration = Duration::from_secs(20);
/// Compiling nothing, only reading three models: seconds on a slow phone.
const START: Duration = Duration::from_mins(1);
const WATCH_MS: u32 = 1_000;

/// A frame that is offered. The picture is taken only when a worker is free, so that it is the newest.
#[derive(Clone)]
pub(crate) struct Ticket {
    pub(crate) run: u64,
    pub(crate) captured: Captured,
    pub(crate) look: Rc<dyn Fn() -> Look>,
    pub(crate) place: Place,
}

/// What a run knows of a frame when it is captured, and wants back with the answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    /// Position in the file, milliseconds.
    pub(crate) media_ms: Option<u64>,
    /// In the run's account of time; a picture has none.
    pub(crate) stamp: Option<Stamp>,
}

/// How a frame is looked at, and its picture.
pub(crate) struct Look {
    pub(crate) scope: Scope,
    pub(crate) long_side: u32,
    pub(crate) bitmap: LocalBoxFuture<'static, Result<Bitmap, String>>,
}

pub(crate) struct Answer {
    pub(crate) run: u64,
    pub(crate) captured: Captured,
    pub(crate) scope: Scope,
    pub(crate) detections: Vec<Detection>,
    /// Smaller faces that were found and not read.
    pub(crate) left_out: usize,
    /// `None` where the worker did not hand it back.
    pub(crate) image: Option<FrameImage>,
    pub(crate) took_ms: f32,
    pub(crate) place: Place,
}

pub(crate) enum CrewEvent {
    /// A worker has its models.
    Ready,
    Answer(Answer),
    /// This frame was lost alone.
    FrameFailed {
        run: u64,
        detail: String,
    },
    /// A worker died with or without a frame, and starts again.
    Restarting {
        detail: String,
    },
    /// No worker is left.
    GaveUp {
        fault: LoadFault,
    },
}

struct Sent {
    slot: Slot,
    run: u64,
    captured: Captured,
    scope: Scope,
    since: Steady,
    place: Place,
}

pub(crate) struct Crew {
    inner: Rc<Inner>,
    _watch: Interval,
}

struct Inner {
    kit: Rc<WorkerKit>,
    pool: RefCell<Pool<Ticket>>,
    ports: RefCell<Vec<Option<WorkerPort>>>,
    started: RefCell<Vec<Option<Steady>>>,
    sent: RefCell<BTreeMap<FrameId, Sent>>,
    order: RefCell<Order<Answer>>,
    over: Cell<bool>,
    /// Why a worker cannot start, since one last did.
    barred: RefCell<Option<LoadFault>>,
    on: Box<dyn Fn(CrewEvent)>,
}

impl std::fmt::Debug for Crew {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Crew({:?})", self.inner.pool.borrow().ready())
    }
}

impl Crew {
    pub(crate) fn start(kit: Rc<WorkerKit>, size: usize, on: impl Fn(CrewEvent) + 'static) -> Self {
        let inner = Rc::new(Inner {
            kit,
            pool: RefCell::new(Pool::new(size)),
            ports: RefCell::new((0..size).map(|_| None).collect()),
            started: RefCell::new(vec![None; size]),
            sent: RefCell::new(BTreeMap::new()),
            order: RefCell::new(Order::new(size)),
            over: Cell::new(false),
            barred: RefCell::new(None),
            on: Box::new(on),
        });
        for slot in 0..size {
            // Not at once: the first crash of a start must not come before the owner has the crew.
            let weak = Rc::downgrade(&inner);
            spawn_local(async move {
                if let Some(inner) = weak.upgrade() {
                    inner.start_worker(slot);
                }
            });
        }
        let weak = Rc::downgrade(&inner);
        let watch = Interval::new(WATCH_MS, move || {
            if let Some(inner) = weak.upgrade() {
                inner.watch();
            }
        });
        Self { inner, _watch: watch }
    }

    pub(crate) fn offer(&self, ticket: Ticket) {
        let actions = self.inner.pool.borrow_mut().offer(ticket);
        self.inner.perform(actions, "");
    }

    pub(crate) fn forget_waiting(&self) {
        self.inner.pool.borrow_mut().forget_waiting();
    }

    /// Whether a frame waits or is with a worker.
    pub(crate) fn is_busy(&self) -> bool {
        self.inner.pool.borrow().has_waiting() || !self.inner.sent.borrow().is_empty()
    }

    pub(crate) fn ready(&self) -> usize {
        self.inner.pool.borrow().ready()
    }

    pub(crate) fn skipped(&self) -> u64 {
        self.inner.pool.borrow().skipped()
    }

    /// Whether no worker is left.
    pub(crate) fn is_over(&self) -> bool {
        self.inner.over.get()
    }
}

impl Inner {
    fn start_worker(self: &Rc<Self>, slot: Slot) {
        let weak = Rc::downgrade(self);
        self.started.borrow_mut()[slot] = Some(steady_now());
        match WorkerPort::start(&self.kit, move |event| Self::heard(&weak, slot, event)) {
            Ok(port) => self.ports.borrow_mut()[slot] = Some(port),
            Err(fault) => self.did_not_start(slot, fault),
        }
    }

    /// Asks why. What another try would not mend is not tried again.
    fn did_not_start(self: &Rc<Self>, slot: Slot, fault: StartFault) {
        // The watch counts no longer, as nothing is under way.
        self.started.borrow_mut()[slot] = None;
        let (kit, weak) = (self.kit.clone(), Rc::downgrade(self));
        spawn_local(async move {
            let barred = startup::script_fault(&kit.boot_url, &fault, &kit.policies).await;
            let Some(inner) = weak.upgrade() else { return };
            match (barred, fault) {
                (Some(barred), _) => inner.bar(slot, barred),
                (None, StartFault::Other(detail)) => inner.crashed(slot, &detail),
                (None, StartFault::Untrusted) => inner.crashed(slot, "not trusted"),
            }
        });
    }

    /// This worker never starts.
    fn bar(self: &Rc<Self>, slot: Slot, fault: LoadFault) {
        let detail = fault.to_string();
        *self.barred.borrow_mut() = Some(fault);
        let actions = self.pool.borrow_mut().retire(slot);
        self.perform(actions, &detail);
    }

    fn heard(weak: &Weak<Self>, slot: Slot, event: PortEvent) {
        let Some(inner) = weak.upgrade() else { return };
        match event {
            PortEvent::Crashed(detail) => inner.crashed(slot, &detail),
            PortEvent::NotStarted => {
                inner.did_not_start(slot, StartFault::Other("its script was not run".to_owned()));
            }
            PortEvent::Message(FromWorker::Ready, _) => {
                inner.started.borrow_mut()[slot] = None;
                inner.barred.take();
                let actions = inner.pool.borrow_mut().started(slot);
                (inner.on)(CrewEvent::Ready);
                inner.perform(actions, "");
            }
            PortEvent::Message(FromWorker::Scored { frame, detections, left_out, .. }, image) => {
                inner.answered(slot, frame, Ok((detections, left_out, image)));
            }
            PortEvent::Message(FromWorker::Failed { frame: Some(frame), fault }, _) => {
                inner.answered(slot, frame, Err(fault.to_string()));
            }
            PortEvent::Message(FromWorker::Failed { frame: None, fault }, _) => {
                let detail = fault.to_string();
                match fault {
                    WorkerFault::Load { .. } => inner.bar(slot, LoadFault::WorkerFailed { detail }),
                    WorkerFault::Code { .. } => inner.has_no_code(slot, detail),
                    _ => inner.crashed(slot, &detail),
                }
            }
        }
    }

    fn has_no_code(self: &Rc<Self>, slot: Slot, detail: String) {
        self.started.borrow_mut()[slot] = None;
        let (kit, weak) = (self.kit.clone(), Rc::downgrade(self));
        spawn_local(async move {
            let fault = startup::glue_fault(&kit.glue_url).await;
            if let Some(inner) = weak.upgrade() {
                inner.bar(slot, fault.unwrap_or(LoadFault::WorkerFailed { detail }));
            }
        });
    }

    fn answered(
        self: &Rc<Self>,
        slot: Slot,
        frame: FrameId,
        result: Result<(Vec<Detection>, usize, Option<FrameImage>), String>,
    ) {
        let (known, actions) = self.pool.borrow_mut().answered(slot, frame);
        if !known {
            return;
        }
        let sent = self.sent.borrow_mut().remove(&frame);
        // The worker first: it need not idle while the page draws.
        self.perform(actions, "");
        let Some(sent) = sent else { return };
        let in_time = self.order.borrow().waits_for(frame);
        let result =
            result.and_then(|found| if in_time { Ok(found) } else { Err("it came too late".to_owned()) });
        let released = match result {
            Ok((detections, left_out, image)) => {
                let answer = Answer {
                    run: sent.run,
                    captured: sent.captured,
                    scope: sent.scope,
                    detections,
                    left_out,
                    image,
                    took_ms: steady_now().since(sent.since).as_secs_f32() * 1_000.0,
                    place: sent.place,
                };
                self.order.borrow_mut().answered(frame, answer)
            }
            Err(detail) => {
                let released = self.order.borrow_mut().lost(frame);
                (self.on)(CrewEvent::FrameFailed { run: sent.run, detail });
                released
            }
        };
        self.release(released);
    }

    fn crashed(self: &Rc<Self>, slot: Slot, detail: &str) {
        let actions = self.pool.borrow_mut().crashed(slot);
        self.perform(actions, detail);
    }

    fn perform(self: &Rc<Self>, actions: Vec<Action<Ticket>>, detail: &str) {
        for action in actions {
            match action {
                Action::Send { slot, frame, ticket } => self.send(slot, frame, &ticket),
                Action::Lost { frame } => {
                    let lost = self.sent.borrow_mut().remove(&frame);
                    let released = self.order.borrow_mut().lost(frame);
                    if let Some(lost) = lost {
                        let detail = detail.to_owned();
                        (self.on)(CrewEvent::FrameFailed { run: lost.run, detail });
                    }
                    self.release(released);
                }
                Action::Restart { slot, in_ms } => {
                    self.ports.borrow_mut()[slot] = None;
                    self.started.borrow_mut()[slot] = None;
                    (self.on)(CrewEvent::Restarting { detail: detail.to_owned() });
                    let weak = Rc::downgrade(self);
                    spawn_local(async move {
                        TimeoutFuture::new(in_ms).await;
                        if let Some(inner) = weak.upgrade() {
                            inner.start_worker(slot);
                        }
                    });
                }
                Action::Retire { slot } => {
                    self.ports.borrow_mut()[slot] = None;
                    self.started.borrow_mut()[slot] = None;
                }
                Action::GiveUp => {
                    self.over.set(true);
                    let fault = self.barred.take();
                    let fault =
                        fault.unwrap_or_else(|| LoadFault::WorkerFailed { detail: detail.to_owned() });
                    (self.on)(CrewEvent::GaveUp { fault });
                }
            }
        }
    }

    fn send(self: &Rc<Self>, slot: Slot, frame: FrameId, ticket: &Ticket) {
        let Look { scope, long_side, bitmap } = (ticket.look)();
        let Ticket { run, captured, place, .. } = *ticket;
        self.order.borrow_mut().sent(frame);
        let since = steady_now();
        self.sent.borrow_mut().insert(frame, Sent { slot, run, captured, scope, since, place });
        let weak = Rc::downgrade(self);
        spawn_local(async move {
            let bitmap = bitmap.await;
            let Some(inner) = weak.upgrade() else { return };
            // The worker may have died while the picture was taken; its frame is then counted already.
            if !inner.sent.borrow().contains_key(&frame) {
                return;
            }
            let posted = bitmap.and_then(|bitmap| match &inner.ports.borrow()[slot] {
                Some(port) => port.infer(FrameHeader { frame, scope, long_side }, &bitmap),
                None => Err("the worker is gone".to_owned()),
            });
            if let Err(detail) = posted {
                inner.answered(slot, frame, Err(detail));
            }
        });
    }

    fn release(&self, answers: Vec<Answer>) {
        for answer in answers {
            (self.on)(CrewEvent::Answer(answer));
        }
    }

    /// Takes a worker for dead that has been silent for too long.
    fn watch(self: &Rc<Self>) {
        let now = steady_now();
        let mut silent: Vec<Slot> = self
            .sent
            .borrow()
            .values()
            .filter(|sent| now.since(sent.since) > ANSWER)
            .map(|sent| sent.slot)
            .collect();
        let started = self.started.borrow();
        silent.extend(
            (0..started.len()).filter(|&slot| started[slot].is_some_and(|since| now.since(since) > START)),
        );
        drop(started);
        for slot in silent {
            self.crashed(slot, "no answer in time");
        }
    }
}
