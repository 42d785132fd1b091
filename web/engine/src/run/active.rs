//! The inner life of a run: frames in, tracked faces out, figures once a second.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_util::future::FutureExt;
use gloo_timers::callback::Interval;
use mien_messages::Scope;
use mien_models::Tracker;

use super::account::{Account, BEAT_MS};
use super::event::{AnalysedFrame, EndReason, RunEvent, RunStats, Silence, SourceState};
use super::input::{Input, Media};
use super::liveness::{Change, Liveness};
use super::outcome::Harvest;
use super::scope::ScopePolicy;
use crate::browser::tracks::Pictures;
use crate::browser::video::VideoEnd;
use crate::browser::{VisibilityGuard, captured_now, is_hidden, now_precise_ms};
use crate::clock::Captured;
use crate::engine::Shared;
use crate::faults::{RunFault, SourceFault};
use crate::pool::{Answer, CrewEvent, Look, Place, Ticket};

/// Figures are told with every so many beats: once a second.
const BEATS_OF_FIGURES: u32 = 1_000 / BEAT_MS;

pub(crate) struct RunHandle {
    number: u64,
    engine: Rc<Shared>,
    input: RefCell<Option<Input>>,
    tracker: RefCell<Tracker>,
    policy: RefCell<ScopePolicy>,
    figures: RefCell<Figures>,
    harvest: RefCell<Harvest>,
    account: RefCell<Account>,
    liveness: RefCell<Liveness>,
    paused: Cell<bool>,
    /// The embedder has paused its element.
    standing: Cell<bool>,
    hidden: Cell<bool>,
    /// No more frames will come; the run ends when the last is answered.
    finishing: Cell<bool>,
    ended: Cell<bool>,
    /// Until the run ends.
    guards: RefCell<Option<(Interval, VisibilityGuard)>>,
    on: Box<dyn Fn(RunEvent)>,
}

/// Counts since the last figures.
#[derive(Debug, Default)]
struct Figures {
    since: f64,
    captured: u32,
    took_ms: Vec<f32>,
    skipped_before: u64,
}

impl std::fmt::Debug for RunHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Run({})", self.number)
    }
}

impl RunHandle {
    pub(crate) fn new(
        number: u64,
        engine: Rc<Shared>,
        input: Input,
        tracker: Tracker,
        on: impl Fn(RunEvent) + 'static,
    ) -> Rc<Self> {
        let skipped_before = engine.crew().map_or(0, |crew| crew.skipped());
        Rc::new(Self {
            number,
            engine,
            input: RefCell::new(Some(input)),
            tracker: RefCell::new(tracker),
            policy: RefCell::new(ScopePolicy::default()),
            figures: RefCell::new(Figures { since: now_precise_ms(), skipped_before, ..Figures::default() }),
            harvest: RefCell::new(Harvest::default()),
            account: RefCell::new(Account::new(now_precise_ms(), is_hidden())),
            liveness: RefCell::new(Liveness::default()),
            paused: Cell::new(false),
            standing: Cell::new(false),
            hidden: Cell::new(is_hidden()),
            finishing: Cell::new(false),
            ended: Cell::new(false),
            guards: RefCell::new(None),
            on: Box::new(on),
        })
    }

    pub(crate) fn begin(self: &Rc<Self>) {
        let (beats, beating, seeing) = (Cell::new(0), Rc::downgrade(self), Rc::downgrade(self));
        let timer = Interval::new(BEAT_MS, move || {
            let Some(run) = beating.upgrade() else { return };
            run.account.borrow_mut().beat(now_precise_ms());
            beats.set((beats.get() + 1) % BEATS_OF_FIGURES);
            if beats.get() == 0 {
                run.tell_stats();
            }
        });
        let visibility = VisibilityGuard::new(move |hidden| {
            if let Some(run) = seeing.upgrade() {
                run.set_hidden(hidden);
            }
        });
        *self.guards.borrow_mut() = Some((timer, visibility));
        match self.input.borrow().as_ref().map(|input| &input.media) {
            Some(Media::Video(video)) => {
                let [framed, over, standing] = [(); 3].map(|()| Rc::downgrade(self));
                video.on_frame(move |captured| {
                    if let Some(run) = framed.upgrade() {
                        run.captured(captured);
                    }
                });
                video.on_end(move |end| {
                    if let Some(run) = over.upgrade() {
                        run.source_over(end);
                    }
                });
                video.on_standing(move |stands| {
                    if let Some(run) = standing.upgrade() {
                        run.standing.set(stands);
                        run.stand();
                    }
                });
            }
            Some(Media::Picture(_)) => {
                self.finishing.set(true);
                // Not at once: the caller must have the run before its first event.
                let weak = Rc::downgrade(self);
                wasm_bindgen_futures::spawn_local(async move {
                    if let Some(run) = weak.upgrade() {
                        run.captured(captured_now());
                    }
                });
            }
            None => {}
        }
        self.play();
    }

    pub(crate) fn set_paused(&self, paused: bool) {
        self.paused.set(paused);
        self.stand();
        self.play();
        if paused && let Some(crew) = self.engine.crew() {
            crew.forget_waiting();
        }
    }

    fn set_hidden(&self, hidden: bool) {
        self.hidden.set(hidden);
        self.account.borrow_mut().set_hidden(now_precise_ms(), hidden);
        self.play();
    }

    fn stand(&self) {
        let stands = self.paused.get() || self.standing.get();
        self.account.borrow_mut().set_paused(now_precise_ms(), stands);
    }

    /// A hidden page gets no frames, so that a file that is ours waits until it is seen.
    fn play(&self) {
        if let Some(Input { media: Media::Video(video), .. }) = &*self.input.borrow() {
            if self.paused.get() || (self.hidden.get() && video.can_wait()) {
                video.pause();
            } else {
                video.play();
            }
        }
    }

    pub(crate) fn camera(&self) -> Option<String> {
        match &self.input.borrow().as_ref()?.media {
            Media::Video(video) => video.device().0,
            Media::Picture(_) => None,
        }
    }

    /// Releases the source; nothing follows but [`RunEvent::Ended`].
    pub(crate) fn end(&self, reason: EndReason) {
        if self.ended.replace(true) {
            return;
        }
        self.guards.borrow_mut().take();
        self.engine.keep_next_face(self.tracker.borrow().next_id());
        drop(self.input.borrow_mut().take());
        if let Some(crew) = self.engine.crew() {
            crew.forget_waiting();
        }
        self.engine.ended(self.number);
        (self.on)(RunEvent::Ended(reason));
    }

    pub(crate) fn heard(&self, event: CrewEvent) {
        if self.ended.get() {
            return;
        }
        match event {
            CrewEvent::Answer(answer) if answer.run == self.number => self.answered(answer),
            CrewEvent::FrameFailed { run, .. } if run == self.number && self.is_tainted() => {
                // So will every later frame: said once, with its reason.
                self.lose(SourceFault::CrossOrigin);
            }
            CrewEvent::FrameFailed { run, detail } if run == self.number => {
                self.harvest.borrow_mut().failed(&detail);
                (self.on)(RunEvent::Fault(RunFault::FrameFailed { detail }));
            }
            CrewEvent::Ready | CrewEvent::Answer(_) | CrewEvent::FrameFailed { .. } => {}
            CrewEvent::Restarting { detail } => {
                (self.on)(RunEvent::Fault(RunFault::WorkerRestarting { detail }));
            }
            CrewEvent::GaveUp { fault } => {
                let detail = fault.to_string();
                (self.on)(RunEvent::Fault(RunFault::WorkersFailed { detail }));
                self.end(EndReason::Failed);
            }
        }
        if self.finishing.get() {
            self.finish();
        }
    }

    /// Ends once the last frame is answered. A file that gave nothing has not just finished.
    fn finish(&self) {
        if self.ended.get() || self.engine.crew().is_some_and(|crew| crew.is_busy()) {
            return;
        }
        let barren = self.harvest.borrow().barren();
        let Some(fault) = barren else { return self.end(EndReason::Finished) };
        (self.on)(RunEvent::Fault(fault));
        self.end(EndReason::Failed);
    }

    fn captured(self: &Rc<Self>, captured: Captured) {
        self.figures.borrow_mut().captured += 1;
        if self.paused.get() || self.ended.get() {
            return;
        }
        let mut place = Place::default();
        if let Some(Input { media: Media::Video(video), .. }) = &*self.input.borrow() {
            place.media_ms = video.position_ms();
            place.stamp = Some(self.account.borrow_mut().delivered(now_precise_ms()));
        }
        let plays = self.liveness.borrow_mut().framed();
        if plays.is_some() {
            (self.on)(RunEvent::SourceState(SourceState::Playing));
        }
        let Some(crew) = self.engine.crew() else { return };
        let weak = Rc::downgrade(self);
        let look = Rc::new(move || {
            weak.upgrade().and_then(|run| run.look()).unwrap_or_else(|| Look {
                scope: Scope::Near,
                long_side: 1,
                bitmap: async { Err("the run has ended".to_owned()) }.boxed_local(),
            })
        });
        crew.offer(Ticket { run: self.number, captured, look, place });
    }

    /// The frame that shows now, and how hard to look at it. A picture is looked at in full.
    fn look(&self) -> Option<Look> {
        let input = self.input.borrow();
        let input = input.as_ref()?;
        let scope = match input.media {
            Media::Picture(_) => Scope::Full,
            Media::Video(_) => self.policy.borrow_mut().next(),
        };
        Some(Look { scope, long_side: input.long_side(), bitmap: input.bitmap() })
    }

    fn answered(&self, answer: Answer) {
        self.figures.borrow_mut().took_ms.push(answer.took_ms);
        self.policy.borrow_mut().found(answer.scope, answer.detections.len());
        if answer.image.is_some() {
            self.harvest.borrow_mut().analysed();
        }
        // A frame that was on the way when the run was paused is not shown: it would add to what is recorded.
        if self.paused.get() {
            return;
        }
        let captured = answer.captured;
        let mut skipped =
            answer.place.stamp.map(|stamp| self.account.borrow_mut().analysed(stamp)).unwrap_or_default();
        skipped.extend(self.engine.clock_step(captured));
        let faces = self.tracker.borrow_mut().update(captured.steady.since_beginning(), &answer.detections);
        let (Some(image), Some((size, mirrored))) =
            (answer.image, self.input.borrow().as_ref().map(|input| (input.size(), input.mirrored)))
        else {
            return;
        };
        (self.on)(RunEvent::Frame(AnalysedFrame {
            image,
            width: size.0,
            height: size.1,
            captured,
            faces,
            left_out: answer.left_out,
            media_ms: answer.place.media_ms,
            skipped,
            mirrored,
        }));
    }

    fn source_over(&self, end: VideoEnd) {
        match end {
            VideoEnd::Finished => {
                self.finishing.set(true);
                self.finish();
            }
            VideoEnd::Lost => {
                let silence = match &*self.input.borrow() {
                    Some(Input { media: Media::Video(video), .. }) => Some(video.silence()),
                    _ => None,
                };
                self.lose(match silence {
                    Some(Silence::Camera) => SourceFault::Unplugged,
                    _ => SourceFault::StreamEnded,
                });
            }
            VideoEnd::Broken => {
                let fault = match self.input.borrow().as_ref().map(|input| &input.media) {
                    Some(Media::Video(video)) => video.broken(),
                    _ => SourceFault::UnreadableVideo,
                };
                self.lose(fault);
            }
        }
    }

    /// Ends the run for good, with the reason.
    fn lose(&self, fault: SourceFault) {
        if !self.ended.get() {
            (self.on)(RunEvent::Fault(RunFault::SourceLost(fault)));
            self.end(EndReason::Failed);
        }
    }

    fn is_tainted(&self) -> bool {
        let input = self.input.borrow();
        matches!(input.as_ref().map(|input| &input.media), Some(Media::Video(video)) if video.is_tainted())
    }

    fn tell_stats(&self) {
        let Some(crew) = self.engine.crew() else { return };
        let now = now_precise_ms();
        let stats = {
            let mut figures = self.figures.borrow_mut();
            let seconds = ((now - figures.since) / 1_000.0).max(0.001) as f32;
            let mut took = std::mem::take(&mut figures.took_ms);
            let captured = std::mem::take(&mut figures.captured);
            figures.since = now;
            took.sort_by(f32::total_cmp);
            RunStats {
                camera_fps: captured as f32 / seconds,
                analysed_fps: took.len() as f32 / seconds,
                skipped: crew.skipped() - figures.skipped_before.min(crew.skipped()),
                inference_ms: took.get(took.len() / 2).copied().unwrap_or_default(),
                workers: crew.ready() as u32,
            }
        };
        let framed = stats.camera_fps > 0.0;
        (self.on)(RunEvent::Stats(stats));
        self.mind_silence(framed);
    }

    /// A browser gives a hidden page no frames, and nobody gives any of what stands: that is no silence.
    fn mind_silence(&self, framed: bool) {
        let (pictures, silence) = match &*self.input.borrow() {
            Some(Input { media: Media::Video(video), .. }) => (video.pictures(), video.silence()),
            Some(Input { media: Media::Picture(_), .. }) | None => return,
        };
        if self.ended.get() || self.finishing.get() {
            return;
        }
        if pictures == Pictures::Ended {
            return self.source_over(VideoEnd::Lost);
        }
        let excused = self.paused.get() || self.standing.get() || self.hidden.get();
        let absent = matches!(pictures, Pictures::Muted | Pictures::Absent);
        let change = self.liveness.borrow_mut().tick(framed, excused, absent);
        if change == Some(Change::Silent) {
            (self.on)(RunEvent::SourceState(SourceState::Silent(silence)));
        }
    }
}
