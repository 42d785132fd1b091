//! A run at work: frames in, tracked faces out, figures once a second.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_timers::callback::Interval as Timer;
use mien_models::{Scope, Tracker};

use super::account::{Account, BEAT_MS};
use super::carry_over::CarryOver;
use super::event::{AnalysedFrame, EndReason, RunEvent, SourceState};
use super::input::{Input, Media};
use super::liveness::{Change, Interval, Liveness};
use super::outcome::Outcome;
use super::scope::ScopePolicy;
use super::slot::{RequestId, SourceSlot};
use super::state::{FrameTag, Halts, Phase};
use super::stats::StatsCounter;
use crate::browser::tracks::Pictures;
use crate::browser::video::{VideoEnd, VideoSource};
use crate::browser::{VisibilityGuard, captured_now, is_hidden, now_precise_ms};
use crate::clock::Captured;
use crate::faults::{RunFault, SourceFault};
use crate::pool::{Answer, Job, PoolEvent, Snapshot, WorkerPool};

/// Figures are reported with every fourth beat: once a second.
const BEATS_PER_REPORT: u32 = 1_000 / BEAT_MS;

pub(super) struct ActiveRun {
    id: RequestId,
    pool: Rc<WorkerPool<FrameTag>>,
    slot: SourceSlot,
    carry_over: Rc<CarryOver>,
    /// `None` once the run has ended.
    input: RefCell<Option<Input>>,
    tracker: RefCell<Tracker>,
    scope: RefCell<ScopePolicy>,
    stats: RefCell<StatsCounter>,
    outcome: RefCell<Outcome>,
    account: RefCell<Account>,
    liveness: RefCell<Liveness>,
    halts: Cell<Halts>,
    phase: Cell<Phase>,
    /// Until the run ends.
    guards: RefCell<Option<(Timer, VisibilityGuard)>>,
    on: Box<dyn Fn(RunEvent)>,
}

impl std::fmt::Debug for ActiveRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Run({})", self.id)
    }
}

impl ActiveRun {
    pub(super) fn new(
        id: RequestId,
        pool: Rc<WorkerPool<FrameTag>>,
        slot: SourceSlot,
        carry_over: Rc<CarryOver>,
        input: Input,
        tracker: Tracker,
        on: Box<dyn Fn(RunEvent)>,
    ) -> Rc<Self> {
        let stats = StatsCounter::new(now_precise_ms(), pool.skipped());
        Rc::new(Self {
            id,
            pool,
            slot,
            carry_over,
            input: RefCell::new(Some(input)),
            tracker: RefCell::new(tracker),
            scope: RefCell::default(),
            stats: RefCell::new(stats),
            outcome: RefCell::default(),
            account: RefCell::new(Account::new(now_precise_ms(), is_hidden())),
            liveness: RefCell::default(),
            halts: Cell::new(Halts { hidden: is_hidden(), ..Halts::default() }),
            phase: Cell::new(Phase::Running),
            guards: RefCell::new(None),
            on,
        })
    }

    pub(super) fn begin(self: &Rc<Self>) {
        let (beats, beating, seeing) = (Cell::new(0), Rc::downgrade(self), Rc::downgrade(self));
        let timer = Timer::new(BEAT_MS, move || {
            let Some(run) = beating.upgrade() else { return };
            run.account.borrow_mut().beat(now_precise_ms());
            beats.set((beats.get() + 1) % BEATS_PER_REPORT);
            if beats.get() == 0 {
                run.report_stats();
            }
        });
        let visibility = VisibilityGuard::new(move |hidden| {
            if let Some(run) = seeing.upgrade() {
                run.set_hidden(hidden);
            }
        });
        *self.guards.borrow_mut() = Some((timer, visibility));
        match self.input.borrow().as_ref().map(|input| &input.media) {
            Some(Media::Video(video)) => self.listen_to(video),
            Some(Media::Picture(_)) => {
                self.phase.set(Phase::Finishing);
                // Not synchronously: the caller must have the run before its first event.
                let weak = Rc::downgrade(self);
                wasm_bindgen_futures::spawn_local(async move {
                    if let Some(run) = weak.upgrade() {
                        run.on_frame(captured_now());
                    }
                });
            }
            None => {}
        }
        self.update_playback();
    }

    fn listen_to(self: &Rc<Self>, video: &VideoSource) {
        let [framed, ended, element] = [(); 3].map(|()| Rc::downgrade(self));
        video.on_frame(move |captured| {
            if let Some(run) = framed.upgrade() {
                run.on_frame(captured);
            }
        });
        video.on_end(move |end| {
            if let Some(run) = ended.upgrade() {
                run.on_source_end(end);
            }
        });
        video.on_element_paused(move |paused| {
            if let Some(run) = element.upgrade() {
                run.halts.set(Halts { element_paused: paused, ..run.halts.get() });
                run.account_for_pause();
            }
        });
    }

    pub(super) fn set_paused(&self, paused: bool) {
        self.halts.set(Halts { paused, ..self.halts.get() });
        self.account_for_pause();
        self.update_playback();
        if paused {
            self.pool.drop_waiting();
        }
    }

    fn set_hidden(&self, hidden: bool) {
        self.halts.set(Halts { hidden, ..self.halts.get() });
        self.account.borrow_mut().set_hidden(now_precise_ms(), hidden);
        self.update_playback();
    }

    fn account_for_pause(&self) {
        let Halts { paused, element_paused, .. } = self.halts.get();
        self.account.borrow_mut().set_paused(now_precise_ms(), paused || element_paused);
    }

    /// A hidden page gets no frames, so a file of ours waits until it is visible again.
    fn update_playback(&self) {
        if let Some(video) = self.input.borrow().as_ref().and_then(Input::video) {
            let Halts { paused, hidden, .. } = self.halts.get();
            if paused || (hidden && video.can_wait()) {
                video.pause();
            } else {
                video.play();
            }
        }
    }

    pub(super) fn camera(&self) -> Option<String> {
        self.input.borrow().as_ref()?.video()?.camera()?.device_id
    }

    fn has_ended(&self) -> bool {
        self.phase.get() == Phase::Ended
    }

    /// Releases the source; nothing follows but [`RunEvent::Ended`].
    pub(super) fn end(&self, reason: EndReason) {
        if self.phase.replace(Phase::Ended) == Phase::Ended {
            return;
        }
        self.guards.borrow_mut().take();
        self.carry_over.set_next_face(self.tracker.borrow().next_id());
        drop(self.input.borrow_mut().take());
        self.pool.drop_waiting();
        self.slot.ended(self.id);
        (self.on)(RunEvent::Ended(reason));
    }

    pub(super) fn on_pool(&self, event: PoolEvent<FrameTag>) {
        if self.has_ended() {
            return;
        }
        match event {
            PoolEvent::Answer(answer) if answer.tag.run == self.id => self.on_answer(answer),
            PoolEvent::FrameFailed { tag, .. } if tag.run == self.id && self.is_tainted() => {
                // Every later frame will fail as well: reported once, with its reason.
                self.lose(SourceFault::CrossOrigin);
            }
            PoolEvent::FrameFailed { tag, detail } if tag.run == self.id => {
                self.outcome.borrow_mut().failed(&detail);
                (self.on)(RunEvent::Fault(RunFault::FrameFailed { detail }));
            }
            PoolEvent::Ready | PoolEvent::Answer(_) | PoolEvent::FrameFailed { .. } => {}
            PoolEvent::Restarting { detail } => {
                (self.on)(RunEvent::Fault(RunFault::WorkerRestarting { detail }));
            }
            PoolEvent::GaveUp { fault } => {
                let detail = fault.to_string();
                (self.on)(RunEvent::Fault(RunFault::WorkersFailed { detail }));
                self.end(EndReason::Failed);
            }
        }
        self.finish_if_done();
    }

    /// Ends once the last frame is answered. A file of which nothing was analysed has not simply finished.
    fn finish_if_done(&self) {
        if self.phase.get() != Phase::Finishing || self.pool.is_busy() {
            return;
        }
        let fault = self.outcome.borrow().fault();
        let Some(fault) = fault else { return self.end(EndReason::Finished) };
        (self.on)(RunEvent::Fault(fault));
        self.end(EndReason::Failed);
    }

    fn on_frame(self: &Rc<Self>, captured: Captured) {
        self.stats.borrow_mut().captured();
        if self.halts.get().paused || self.has_ended() {
            return;
        }
        let mut tag = FrameTag { run: self.id, captured, media_ms: None, stamp: None };
        if let Some(video) = self.input.borrow().as_ref().and_then(Input::video) {
            tag.media_ms = video.position_ms();
            tag.stamp = Some(self.account.borrow_mut().delivered(now_precise_ms()));
        }
        let plays = self.liveness.borrow_mut().picture();
        if plays.is_some() {
            (self.on)(RunEvent::SourceState(SourceState::Playing));
        }
        let weak = Rc::downgrade(self);
        let snapshot = Box::new(move || {
            let snapshot = weak.upgrade().and_then(|run| run.snapshot());
            snapshot.unwrap_or_else(|| Snapshot::missing("the run has ended"))
        });
        self.pool.offer(Job { tag, snapshot });
    }

    fn snapshot(&self) -> Option<Snapshot> {
        let input = self.input.borrow();
        let input = input.as_ref()?;
        let scope = match input.media {
            Media::Picture(_) => Scope::Full,
            Media::Video(_) => self.scope.borrow_mut().next(),
        };
        let expected = self.tracker.borrow().expected();
        Some(Snapshot { scope, long_side: input.long_side(), expected, bitmap: input.bitmap() })
    }

    fn on_answer(&self, answer: Answer<FrameTag>) {
        self.stats.borrow_mut().answered(answer.took_ms);
        self.scope.borrow_mut().found(answer.scope, answer.detections.len());
        if answer.image.is_some() {
            self.outcome.borrow_mut().analysed();
        }
        // A frame that was with a worker when the run was paused is dropped: it would be recorded.
        if self.halts.get().paused {
            return;
        }
        let FrameTag { captured, media_ms, stamp, .. } = answer.tag;
        let mut skipped = stamp.map(|stamp| self.account.borrow_mut().analysed(stamp)).unwrap_or_default();
        skipped.extend(self.carry_over.clock_step(captured));
        let faces = self.tracker.borrow_mut().update(captured.steady.since_beginning(), &answer.detections);
        let raw = self.tracker.borrow().raw();
        let (Some(image), Some(((width, height), mirrored))) =
            (answer.image, self.input.borrow().as_ref().map(|input| (input.size(), input.mirrored)))
        else {
            return;
        };
        (self.on)(RunEvent::Frame(AnalysedFrame {
            image,
            width,
            height,
            captured,
            faces,
            raw,
            left_out: answer.left_out,
            media_ms,
            skipped,
            mirrored,
        }));
    }

    fn on_source_end(&self, end: VideoEnd) {
        match end {
            VideoEnd::Finished if self.has_ended() => {}
            VideoEnd::Finished => {
                self.phase.set(Phase::Finishing);
                self.finish_if_done();
            }
            VideoEnd::Lost | VideoEnd::Broken => {
                let fault = self.input.borrow().as_ref().map(|input| input.fault_of(end));
                if let Some(fault) = fault {
                    self.lose(fault);
                }
            }
        }
    }

    /// Ends the run because its source is gone.
    fn lose(&self, fault: SourceFault) {
        if !self.has_ended() {
            (self.on)(RunEvent::Fault(RunFault::SourceLost(fault)));
            self.end(EndReason::Failed);
        }
    }

    fn is_tainted(&self) -> bool {
        self.input.borrow().as_ref().and_then(Input::video).is_some_and(VideoSource::is_tainted)
    }

    fn report_stats(&self) {
        let (skipped, workers) = (self.pool.skipped(), self.pool.ready() as u32);
        let stats = self.stats.borrow_mut().report(now_precise_ms(), skipped, workers);
        let has_frames = stats.camera_fps > 0.0;
        (self.on)(RunEvent::Stats(stats));
        self.check_liveness(has_frames);
    }

    fn check_liveness(&self, has_frames: bool) {
        let observed =
            self.input.borrow().as_ref().and_then(Input::video).map(|v| (v.pictures(), v.silence()));
        let Some((pictures, silence)) = observed else { return };
        if self.phase.get() != Phase::Running {
            return;
        }
        if pictures == Pictures::Ended {
            return self.on_source_end(VideoEnd::Lost);
        }
        let interval = match pictures {
            _ if has_frames => Interval::Pictures,
            _ if self.halts.get().any() => Interval::NotExpected,
            Pictures::Muted | Pictures::Absent => Interval::Impossible,
            Pictures::OfFile | Pictures::Live | Pictures::Ended => Interval::Nothing,
        };
        if self.liveness.borrow_mut().interval(interval) == Some(Change::Silent) {
            (self.on)(RunEvent::SourceState(SourceState::Silent(silence)));
        }
    }
}
