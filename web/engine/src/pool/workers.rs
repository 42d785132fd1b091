//! The pool over real workers.
//!
//! Each frame that is sent has one outcome: its answer, in order of capture, or a count as lost. A worker that does not
//! answer in time is presumed dead.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::time::Duration;

use gloo_timers::callback::Interval;
use gloo_timers::future::TimeoutFuture;
use mien_messages::{FrameHeader, FrameId, FromWorker, WorkerFault};
use mien_models::{Detection, Scope};
use wasm_bindgen_futures::spawn_local;

use super::job::{Answer, Job, PoolEvent, Snapshot};
use super::order::Order;
use super::schedule::{Action, Schedule, Slot};
use crate::browser::worker::{PortEvent, StartFault, WorkerKit, WorkerPort};
use crate::browser::{FrameImage, steady_now};
use crate::clock::Steady;
use crate::faults::LoadFault;
use crate::load::startup;

/// The slowest machine we know takes a tenth of this for a large picture with many faces.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// Compiles nothing and only reads three models: seconds on a slow phone.
const START_TIMEOUT: Duration = Duration::from_mins(1);
const WATCHDOG_MS: u32 = 1_000;

struct Sent<T> {
    slot: Slot,
    tag: T,
    scope: Scope,
    since: Steady,
}

#[derive(Default)]
struct WorkerSlot {
    port: Option<WorkerPort>,
    /// `None` once it is ready, and while it is known why it is not.
    starting_since: Option<Steady>,
}

/// `T` is what the caller wants back with each answer.
pub(crate) struct WorkerPool<T> {
    inner: Rc<Inner<T>>,
    _watchdog: Interval,
}

struct Inner<T> {
    kit: Rc<WorkerKit>,
    schedule: RefCell<Schedule<Job<T>>>,
    slots: RefCell<Vec<WorkerSlot>>,
    sent: RefCell<BTreeMap<FrameId, Sent<T>>>,
    order: RefCell<Order<Answer<T>>>,
    over: Cell<bool>,
    /// Why a worker cannot start, unless one has started since.
    start_fault: RefCell<Option<LoadFault>>,
    on: Box<dyn Fn(PoolEvent<T>)>,
}

impl<T> std::fmt::Debug for WorkerPool<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WorkerPool({:?})", self.inner.schedule.borrow().ready())
    }
}

impl<T: Copy + 'static> WorkerPool<T> {
    pub(crate) fn start(kit: Rc<WorkerKit>, size: usize, on: impl Fn(PoolEvent<T>) + 'static) -> Self {
        let inner = Rc::new(Inner {
            kit,
            schedule: RefCell::new(Schedule::new(size)),
            slots: RefCell::new((0..size).map(|_| WorkerSlot::default()).collect()),
            sent: RefCell::new(BTreeMap::new()),
            order: RefCell::new(Order::new(size)),
            over: Cell::new(false),
            start_fault: RefCell::new(None),
            on: Box::new(on),
        });
        for slot in 0..size {
            // Not synchronously: the first crash of a start must not come before the owner has the pool.
            let weak = Rc::downgrade(&inner);
            spawn_local(async move {
                if let Some(inner) = weak.upgrade() {
                    inner.start_worker(slot);
                }
            });
        }
        let weak = Rc::downgrade(&inner);
        let watchdog = Interval::new(WATCHDOG_MS, move || {
            if let Some(inner) = weak.upgrade() {
                inner.end_hung_workers();
            }
        });
        Self { inner, _watchdog: watchdog }
    }

    pub(crate) fn kit(&self) -> &Rc<WorkerKit> {
        &self.inner.kit
    }

    pub(crate) fn offer(&self, job: Job<T>) {
        let actions = self.inner.schedule.borrow_mut().offer(job);
        self.inner.perform(actions, "");
    }

    pub(crate) fn drop_waiting(&self) {
        self.inner.schedule.borrow_mut().drop_waiting();
    }

    /// Whether a frame waits or is with a worker.
    pub(crate) fn is_busy(&self) -> bool {
        self.inner.schedule.borrow().has_waiting() || !self.inner.sent.borrow().is_empty()
    }

    pub(crate) fn ready(&self) -> usize {
        self.inner.schedule.borrow().ready()
    }

    pub(crate) fn skipped(&self) -> u64 {
        self.inner.schedule.borrow().skipped()
    }

    /// Whether no worker is left.
    pub(crate) fn is_over(&self) -> bool {
        self.inner.over.get()
    }
}

impl<T: Copy + 'static> Inner<T> {
    fn start_worker(self: &Rc<Self>, slot: Slot) {
        let weak = Rc::downgrade(self);
        self.slots.borrow_mut()[slot].starting_since = Some(steady_now());
        match WorkerPort::start(&self.kit, move |event| Self::on_port(&weak, slot, event)) {
            Ok(port) => self.slots.borrow_mut()[slot].port = Some(port),
            Err(fault) => self.explain_start_fault(slot, fault),
        }
    }

    /// Finds out why a worker did not start, and retries unless that is pointless.
    fn explain_start_fault(self: &Rc<Self>, slot: Slot, fault: StartFault) {
        // Nothing is starting, so the watchdog has nothing to time.
        self.slots.borrow_mut()[slot].starting_since = None;
        let (kit, weak) = (self.kit.clone(), Rc::downgrade(self));
        spawn_local(async move {
            let permanent = startup::script_fault(&kit.boot_url, &fault, &kit.policies).await;
            let Some(inner) = weak.upgrade() else { return };
            match (permanent, fault) {
                (Some(permanent), _) => inner.retire(slot, permanent),
                (None, StartFault::Other(detail)) => inner.crashed(slot, &detail),
                (None, StartFault::Untrusted) => inner.crashed(slot, "not trusted"),
            }
        });
    }

    fn explain_missing_code(self: &Rc<Self>, slot: Slot, detail: String) {
        self.slots.borrow_mut()[slot].starting_since = None;
        let (kit, weak) = (self.kit.clone(), Rc::downgrade(self));
        spawn_local(async move {
            let fault = startup::glue_fault(&kit.glue_url).await;
            if let Some(inner) = weak.upgrade() {
                inner.retire(slot, fault.unwrap_or(LoadFault::WorkerFailed { detail }));
            }
        });
    }

    /// This worker can never start.
    fn retire(self: &Rc<Self>, slot: Slot, fault: LoadFault) {
        let detail = fault.to_string();
        *self.start_fault.borrow_mut() = Some(fault);
        let actions = self.schedule.borrow_mut().retire(slot);
        self.perform(actions, &detail);
    }

    fn crashed(self: &Rc<Self>, slot: Slot, detail: &str) {
        let actions = self.schedule.borrow_mut().crashed(slot);
        self.perform(actions, detail);
    }

    fn on_port(weak: &Weak<Self>, slot: Slot, event: PortEvent) {
        let Some(inner) = weak.upgrade() else { return };
        match event {
            PortEvent::Crashed(detail) => inner.crashed(slot, &detail),
            PortEvent::NotStarted => {
                inner.explain_start_fault(slot, StartFault::Other("its script was not run".to_owned()));
            }
            PortEvent::Message(FromWorker::Ready, _) => {
                inner.slots.borrow_mut()[slot].starting_since = None;
                inner.start_fault.take();
                let actions = inner.schedule.borrow_mut().started(slot);
                (inner.on)(PoolEvent::Ready);
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
                    WorkerFault::Load { .. } => inner.retire(slot, LoadFault::WorkerFailed { detail }),
                    WorkerFault::Code { .. } => inner.explain_missing_code(slot, detail),
                    _ => inner.crashed(slot, &detail),
                }
            }
        }
    }

    fn answered(
        self: &Rc<Self>,
        slot: Slot,
        frame: FrameId,
        result: Result<(Vec<Detection>, usize, Option<FrameImage>), String>,
    ) {
        let (expected, actions) = self.schedule.borrow_mut().answered(slot, frame);
        if !expected {
            return;
        }
        let sent = self.sent.borrow_mut().remove(&frame);
        // The worker first: it need not idle while the page draws.
        self.perform(actions, "");
        let Some(Sent { tag, scope, since, .. }) = sent else { return };
        let in_time = self.order.borrow().expects(frame);
        let result =
            result.and_then(|found| if in_time { Ok(found) } else { Err("it came too late".to_owned()) });
        let released = match result {
            Ok((detections, left_out, image)) => {
                let took_ms = steady_now().since(since).as_secs_f32() * 1_000.0;
                let answer = Answer { tag, scope, detections, left_out, image, took_ms };
                self.order.borrow_mut().answered(frame, answer)
            }
            Err(detail) => {
                let released = self.order.borrow_mut().lost(frame);
                (self.on)(PoolEvent::FrameFailed { tag, detail });
                released
            }
        };
        self.release(released);
    }

    fn perform(self: &Rc<Self>, actions: Vec<Action<Job<T>>>, detail: &str) {
        for action in actions {
            match action {
                Action::Send { slot, frame, job } => self.send(slot, frame, job),
                Action::Lost { frame } => {
                    let lost = self.sent.borrow_mut().remove(&frame);
                    let released = self.order.borrow_mut().lost(frame);
                    if let Some(Sent { tag, .. }) = lost {
                        (self.on)(PoolEvent::FrameFailed { tag, detail: detail.to_owned() });
                    }
                    self.release(released);
                }
                Action::Restart { slot, in_ms } => {
                    self.slots.borrow_mut()[slot] = WorkerSlot::default();
                    (self.on)(PoolEvent::Restarting { detail: detail.to_owned() });
                    let weak = Rc::downgrade(self);
                    spawn_local(async move {
                        TimeoutFuture::new(in_ms).await;
                        if let Some(inner) = weak.upgrade() {
                            inner.start_worker(slot);
                        }
                    });
                }
                Action::Retire { slot } => self.slots.borrow_mut()[slot] = WorkerSlot::default(),
                Action::GiveUp => {
                    self.over.set(true);
                    let fault = self.start_fault.take();
                    let fault =
                        fault.unwrap_or_else(|| LoadFault::WorkerFailed { detail: detail.to_owned() });
                    (self.on)(PoolEvent::GaveUp { fault });
                }
            }
        }
    }

    fn send(self: &Rc<Self>, slot: Slot, frame: FrameId, job: Job<T>) {
        let Snapshot { scope, long_side, bitmap } = (job.snapshot)();
        self.order.borrow_mut().sent(frame);
        let sent = Sent { slot, tag: job.tag, scope, since: steady_now() };
        self.sent.borrow_mut().insert(frame, sent);
        let weak = Rc::downgrade(self);
        spawn_local(async move {
            let bitmap = bitmap.await;
            let Some(inner) = weak.upgrade() else { return };
            // The worker may have died while the picture was taken; its frame is counted already.
            if !inner.sent.borrow().contains_key(&frame) {
                return;
            }
            let posted = bitmap.and_then(|bitmap| match &inner.slots.borrow()[slot].port {
                Some(port) => port.infer(FrameHeader { frame, scope, long_side }, &bitmap),
                None => Err("the worker is gone".to_owned()),
            });
            if let Err(detail) = posted {
                inner.answered(slot, frame, Err(detail));
            }
        });
    }

    fn release(&self, answers: Vec<Answer<T>>) {
        for answer in answers {
            (self.on)(PoolEvent::Answer(answer));
        }
    }

    fn end_hung_workers(self: &Rc<Self>) {
        let now = steady_now();
        let late = |since: Steady, timeout: Duration| now.since(since) > timeout;
        let mut hung: Vec<Slot> = self
            .sent
            .borrow()
            .values()
            .filter(|sent| late(sent.since, ANSWER_TIMEOUT))
            .map(|sent| sent.slot)
            .collect();
        let starts =
            |worker: &WorkerSlot| worker.starting_since.is_some_and(|since| late(since, START_TIMEOUT));
        let slots = self.slots.borrow();
        hung.extend((0..slots.len()).filter(|&slot| starts(&slots[slot])));
        drop(slots);
        for slot in hung {
            self.crashed(slot, "no answer in time");
        }
    }
}
