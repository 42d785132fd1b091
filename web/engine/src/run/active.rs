//! A run at work: frames in, tracked faces out, figures once a second.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_timers::callback::Interval as Timer;
use mien_models::Scope;

use super::account::BEAT_MS;
use super::calibration::CalibrationState;
use super::carry_over::CarryOver;
use super::doubts::doubts_of;
use super::event::{AnalysedFrame, EndReason, RunEvent, SourceState};
use super::input::{Input, Media};
use super::landmark_pace::LandmarkPace;
use super::left_out::LeftOut;
use super::outcome::Outcome;
use super::people::People;
use super::presence::Presence;
use super::scope::ScopePolicy;
use super::slot::{RequestId, SourceSlot};
use super::state::{FrameTag, Phase};
use super::stats::StatsCounter;
use crate::browser::video::{VideoEnd, VideoSource};
use crate::browser::{VisibilityGuard, captured_now, is_hidden, now_precise_ms};
use crate::clock::Captured;
use crate::faults::{RunFault, SourceFault};
use crate::pool::{Answer, Job, PoolEvent, Snapshot, WorkerPool};

pub(super) struct ActiveRun {
    id: RequestId,
    pub(super) pool: Rc<WorkerPool<FrameTag>>,
    slot: SourceSlot,
    carry_over: Rc<CarryOver>,
    /// `None` once the run has ended.
    pub(super) input: RefCell<Option<Input>>,
    people: RefCell<People>,
    pub(super) left_out: RefCell<LeftOut>,
    scope: RefCell<ScopePolicy>,
    landmark_pace: RefCell<LandmarkPace>,
    pub(super) stats: RefCell<StatsCounter>,
    outcome: RefCell<Outcome>,
    pub(super) presence: RefCell<Presence>,
    pub(super) phase: Cell<Phase>,
    /// Until the run ends.
    guards: RefCell<Option<(Timer, VisibilityGuard)>>,
    pub(super) on: Box<dyn Fn(RunEvent)>,
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
        people: People,
        on: Box<dyn Fn(RunEvent)>,
    ) -> Rc<Self> {
        let stats = StatsCounter::new(now_precise_ms(), pool.skipped());
        Rc::new(Self {
            id,
            pool,
            slot,
            carry_over,
            input: RefCell::new(Some(input)),
            people: RefCell::new(people),
            left_out: RefCell::default(),
            scope: RefCell::default(),
            landmark_pace: RefCell::default(),
            stats: RefCell::new(stats),
            outcome: RefCell::default(),
            presence: RefCell::new(Presence::new(now_precise_ms(), is_hidden())),
            phase: Cell::new(Phase::Running),
            guards: RefCell::new(None),
            on,
        })
    }

    pub(super) fn begin(self: &Rc<Self>) {
        let [beating, seeing] = [(); 2].map(|()| Rc::downgrade(self));
        let timer = Timer::new(BEAT_MS, move || {
            if let Some(run) = beating.upgrade() {
                run.beat();
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
        self.update_reader();
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
                run.presence.borrow_mut().set_element_paused(now_precise_ms(), paused);
            }
        });
    }

    pub(super) fn set_paused(self: &Rc<Self>, paused: bool) {
        self.presence.borrow_mut().set_paused(now_precise_ms(), paused);
        self.update_playback();
        self.update_reader();
        if paused {
            self.pool.drop_waiting();
        }
    }

    fn set_hidden(self: &Rc<Self>, hidden: bool) {
        self.presence.borrow_mut().set_hidden(now_precise_ms(), hidden);
        self.update_playback();
        self.update_reader();
    }

    pub(super) fn camera(&self) -> Option<String> {
        self.input.borrow().as_ref()?.video()?.camera()?.device_id
    }

    /// False once the run has ended.
    pub(super) fn with_people(&self, act: impl FnOnce(&mut People) -> Option<CalibrationState>) -> bool {
        let state = act(&mut self.people.borrow_mut());
        self.report_calibration(state);
        !self.has_ended()
    }

    fn report_calibration(&self, state: Option<CalibrationState>) {
        if let Some(state) = state.filter(|_| !self.has_ended()) {
            (self.on)(RunEvent::Calibration(state));
        }
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
        self.carry_over.set_next_face(self.people.borrow().next_id());
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
            PoolEvent::Landmarks(Err(detail)) => {
                (self.on)(RunEvent::Fault(RunFault::LandmarksLost { detail }));
            }
            PoolEvent::Ready
            | PoolEvent::Landmarks(Ok(()))
            | PoolEvent::Answer(_)
            | PoolEvent::FrameFailed { .. } => {}
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
        if self.presence.borrow().is_paused() || self.has_ended() {
            return;
        }
        let mut tag = FrameTag { run: self.id, captured, media_ms: None, stamp: None };
        let mut was_silent = false;
        if let Some(video) = self.input.borrow().as_ref().and_then(Input::video) {
            tag.media_ms = video.position_ms();
            let (stamp, silent) = self.presence.borrow_mut().frame(now_precise_ms());
            (tag.stamp, was_silent) = (Some(stamp), silent);
        }
        if was_silent {
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
        let landmarks = self.landmark_pace.borrow_mut().next(now_precise_ms());
        let expected = self.people.borrow().expected();
        Some(Snapshot { scope, landmarks, long_side: input.long_side(), expected, bitmap: input.bitmap() })
    }

    fn on_answer(&self, answer: Answer<FrameTag>) {
        self.stats.borrow_mut().answered(answer.took_ms);
        self.scope.borrow_mut().found(answer.scope, answer.detections.len());
        if answer.image.is_some() {
            self.outcome.borrow_mut().analysed();
        }
        // A frame that was with a worker when the run was paused is dropped: it would be recorded.
        if self.presence.borrow().is_paused() {
            return;
        }
        let FrameTag { captured, media_ms, stamp, .. } = answer.tag;
        let mut skipped = stamp.map(|stamp| self.presence.borrow_mut().analysed(stamp)).unwrap_or_default();
        skipped.extend(self.carry_over.clock_step(captured));
        let steady = captured.steady.since_beginning();
        let (faces, calibration) = self.people.borrow_mut().update(steady, &answer.detections);
        let faces = self.left_out.borrow_mut().keep(steady, faces);
        let raw = self.people.borrow().raw();
        let outlines = self.people.borrow().outlines(steady);
        let shown = self.input.borrow().as_ref().map(|input| (input.size(), input.mirrored));
        if let (Some(image), Some(((width, height), mirrored))) = (answer.image, shown) {
            (self.on)(RunEvent::Frame(AnalysedFrame {
                image,
                width,
                height,
                captured,
                doubts: doubts_of(&faces, &answer.detections),
                faces,
                raw,
                outlines,
                left_out: answer.left_out,
                set_aside: self.left_out.borrow().faces(),
                media_ms,
                skipped,
                mirrored,
            }));
        }
        self.report_calibration(calibration);
    }

    pub(super) fn on_source_end(&self, end: VideoEnd) {
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
}
