//! The one owner of a recording: camera, recorder and phase change here and nowhere else.

mod link;
mod refused;

use std::future::Future;
use std::pin::Pin;

use futures_util::future::{Either, Shared, join, select};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use mien_engine::api::ApiFault;
use mien_engine::{
    AnalysedFrame, CameraChoice, CameraDevice, DevicesGuard, EndReason, LinkEnd, LinkState, LoadProgress,
    PickedFile, Recorder, RecorderStatus, Run, RunEvent, RunFault, RunStats, SourceChoice, SourceRequest,
    SourceState, Steady, StorageMode, Trouble,
};
use mien_shared::api::Marker;
use mien_shared::{Code, Sample, SessionId, SessionStatus, SkipReason, Skipped};

use super::{LOOKING, NoSummary, Phase, history, markers, passes};
use crate::analysis::{Analysis, NotStarted};
use crate::browser::{self, Awake};
use crate::fault::Fault;
use crate::kept::{self, Kept};
use crate::model::absence::unseen_ms;
use crate::model::cameras::{gone, name_of};
use crate::model::format;
use crate::model::link::Feed;
use crate::model::notice::{Change, Notice, Notices};
use crate::model::timeline::Timeline;
use crate::model::trouble::{self, Unsent};
use crate::model::{refusal, words};
use crate::pages::scope::Scope;
use crate::reading::Reading;
use crate::router::Router;

/// How long the relay may take to say whether a session goes on before the camera opens without it: a reload
/// must work offline too.
const CHECK_MS: u32 = 2_000;
/// The recorder, or its opening: whoever wants it while it opens gets the same one.
type Opening = Shared<Pin<Box<dyn Future<Output = Recorder>>>>;

/// A handle; a copy is the same recording.
#[derive(Clone, Copy)]
pub(super) struct Recording {
    kept: StoredValue<Kept>,
    analysis: Analysis,
    router: Router,
    scope: Scope,
    pub(super) reading: Reading,
    pub(super) phase: RwSignal<Phase>,
    pub(super) status: RwSignal<Option<RecorderStatus>>,
    /// What is worth a line and stops nothing.
    pub(super) notices: RwSignal<Notices>,
    /// Bytes sent for this session, by this device.
    pub(super) sent: RwSignal<u64>,
    /// Of those, what recorders before the present one have sent.
    sent_before: StoredValue<u64>,
    run: StoredValue<Option<Run>, LocalStorage>,
    /// Why nothing was analysed between the run before and the one that follows, until its first frame has told.
    between: StoredValue<Option<SkipReason>>,
    /// Capture time of this source's last sample, of earlier visits too, Unix milliseconds.
    last_at: StoredValue<Option<u64>>,
    /// Stays until everything is stored: without a disk it alone has the samples.
    recorder: StoredValue<Option<Opening>, LocalStorage>,
    /// When new tokens were got last in place of refused ones.
    renewed: StoredValue<Option<Steady>>,
    /// Whether newer tokens are being got before the present ones are over.
    renewing: StoredValue<bool>,
    /// What the disk holds of samples that were not sent, where no recorder says so.
    left: RwSignal<u64>,
    /// The cameras of this device, once one is open.
    pub(super) cameras: RwSignal<Vec<CameraDevice>>,
    /// Id of the one that is open.
    pub(super) camera: RwSignal<Option<String>>,
    /// Markers that the relay has.
    pub(super) markers: StoredValue<Vec<Marker>>,
    /// Above every face's identity among the samples that the relay gave back.
    next_face: StoredValue<u32>,
}

impl Recording {
    pub(super) fn new(kept: Kept) -> Self {
        let sent = kept::sent(kept.session);
        Self {
            kept: StoredValue::new(kept),
            analysis: expect_context::<Analysis>(),
            router: expect_context::<Router>(),
            scope: Scope::here(),
            reading: Reading::new(),
            phase: RwSignal::new(Phase::Checking),
            status: RwSignal::new(None),
            notices: RwSignal::new(Notices::default()),
            sent: RwSignal::new(sent),
            sent_before: StoredValue::new(sent),
            run: StoredValue::new_local(None),
            between: StoredValue::new(None),
            last_at: StoredValue::new(None),
            recorder: StoredValue::new_local(None),
            renewed: StoredValue::new(None),
            renewing: StoredValue::new(false),
            left: RwSignal::new(0),
            cameras: RwSignal::new(Vec::new()),
            camera: RwSignal::new(None),
            markers: StoredValue::new(Vec::new()),
            next_face: StoredValue::new(0),
        }
    }

    /// Samples of an earlier visit, in order of seq.
    pub(super) fn recall(self, samples: &[Sample]) {
        self.reading.recall(samples);
        let ids = samples.iter().flat_map(|sample| &sample.faces).map(|face| face.id.saturating_add(1));
        self.next_face.update_value(|next| *next = ids.fold(*next, u32::max));
        self.recall_end(samples.last().map(|sample| sample.at));
    }

    /// When the last sample of an earlier visit was.
    pub(super) fn recall_end(self, at_ms: Option<u64>) {
        self.last_at.update_value(|last| *last = (*last).max(at_ms));
    }

    pub(super) fn has_recalled(self) -> bool {
        self.last_at.with_value(Option::is_some)
    }

    pub(super) fn kept(self) -> Kept {
        self.kept.get_value()
    }

    /// Samples that wait for the relay, as a signal.
    pub(super) fn pending(self) -> u64 {
        self.status.with(|status| status.as_ref().map_or_else(|| self.left.get(), |status| status.pending))
    }

    /// Samples that wait, and where, as a signal.
    pub(super) fn unsent(self) -> Unsent {
        let in_memory = self.status.with(|status| {
            status.as_ref().is_some_and(|status| matches!(status.mode, StorageMode::Memory { .. }))
        });
        Unsent { count: self.pending(), in_memory }
    }

    /// What still waits, and where, as a signal; it goes on being sent, unless the relay does not take it.
    pub(super) fn waiting(self) -> Option<String> {
        let unsent = self.unsent();
        let taken = self.status.with(|status| {
            let status = status.as_ref();
            status.is_some_and(|status| {
                status.trouble.is_none()
                    && !matches!(status.link, LinkState::Ended(LinkEnd::Closed(close)) if refusal::for_good(close).is_some())
            })
        });
        let words =
            if taken { words::waiting(unsent.count, unsent.in_memory) } else { trouble::kept(unsent) };
        (unsent.count > 0).then_some(words)
    }

    /// What keeps the link from the relay, as a signal.
    pub(super) fn trouble(self) -> Option<Trouble> {
        self.status.with(|status| status.as_ref().and_then(|status| status.trouble))
    }

    /// What stop has done, by then.
    pub(super) fn stopped(self) -> &'static str {
        // The last source may have been a file.
        if self.camera.with_untracked(Option::is_some) {
            "The camera is off"
        } else {
            "The recording has stopped"
        }
    }

    /// What the tab is called.
    pub(super) fn title(self) -> String {
        let state = match self.phase.get() {
            Phase::Checking => LOOKING,
            Phase::Consent => "Before the camera opens",
            Phase::Opening(_) => "Opening",
            Phase::Live => match self.feed() {
                Feed::Silent => "No pictures",
                Feed::Over => "File finished",
                _ => "Recording",
            },
            Phase::Paused => "Paused",
            Phase::Finishing => "Sending the last samples",
            Phase::Done(Ok(_) | Err(NoSummary::Unread(_))) => "Recorded",
            Phase::Done(Err(_)) => "Not closed yet",
            Phase::Fault(fault) => return fault.title.to_owned(),
        };
        format!("{state} · {}", self.name())
    }

    /// What the source gives, as a signal.
    pub(super) fn feed(self) -> Feed {
        match self.phase.get() {
            Phase::Live => self.notices.with(Notices::feed).unwrap_or(Feed::Coming),
            Phase::Paused => Feed::Paused,
            _ => Feed::Opening,
        }
    }

    pub(super) fn name(self) -> String {
        self.kept.with_value(Kept::name)
    }

    pub(super) fn session(self) -> SessionId {
        self.kept.with_value(|kept| kept.session)
    }

    pub(super) fn share_link(self) -> String {
        self.kept.with_value(Kept::share_link)
    }

    pub(super) fn progress(self) -> Signal<Option<LoadProgress>> {
        self.analysis.progress()
    }

    pub(super) fn spawn(self, work: impl Future<Output = ()> + 'static) {
        self.scope.spawn(work);
    }

    /// Looks the session up, then goes on as far as the person has agreed.
    pub(super) fn begin(self) {
        self.phase.set(Phase::Checking);
        self.spawn(async move {
            let kept = self.kept();
            let relay = kept.relay();
            let call = Box::pin(relay.session(kept.session));
            let answer = match select(call, TimeoutFuture::new(CHECK_MS)).await {
                Either::Left((answer, _)) => Some(answer),
                Either::Right(_) => None,
            };
            match answer {
                Some(Ok(session)) if session.status == SessionStatus::Completed => self.conclude().await,
                Some(Err(fault @ ApiFault::Problem(_))) if !passes(&fault) => {
                    if fault.code() == Some(Code::Unauthorized) && self.renew().await {
                        self.begin();
                    } else {
                        self.refused(fault, None).await;
                    }
                }
                Some(Ok(_)) => {
                    if kept.is_ageing() {
                        self.renew_ahead();
                    }
                    // Once: another try after a fault has it all still.
                    if self.reading.timeline.with_untracked(Timeline::is_empty) {
                        join(markers::load(self), history::load(self)).await;
                    }
                    self.proceed();
                }
                // Away, or in trouble: the outbox takes what the camera gives until the relay is back.
                Some(Err(_)) | None => self.proceed(),
            }
        });
    }

    pub(super) fn proceed(self) {
        if !kept::consented(self.session()) {
            self.phase.set(Phase::Consent);
        } else if kept::paused(self.session()) {
            // The camera stays off until the person goes on; what waits from before is sent all the same.
            self.phase.set(Phase::Paused);
            self.spawn(async move { drop(self.recorder().await) });
        } else {
            self.open(camera());
        }
    }

    /// Whoever leaves the page with the camera on finds it off on coming back: the yes was to what they saw. A reload
    /// leaves nothing, and goes on.
    pub(super) fn pause_when_left(self) {
        on_cleanup(move || {
            if let Some(Phase::Opening(_) | Phase::Live) = self.phase.try_get_untracked() {
                kept::keep_paused(self.session(), true);
            }
        });
    }

    /// A phone that goes to sleep takes the camera from the page.
    pub(super) fn keep_screen_on(self) {
        let awake = StoredValue::new_local(None::<Awake>);
        let mind = move || {
            let live = self.phase.get_untracked() == Phase::Live;
            awake.try_update_value(|awake| {
                // Every browser lets the screen go when the page is hidden, so it is asked for anew.
                *awake = (live && !document().hidden()).then(Awake::ask);
            });
        };
        Effect::new(move |_| {
            self.phase.track();
            mind();
        });
        let listener = window_event_listener_untyped("visibilitychange", move |_| mind());
        on_cleanup(move || listener.remove());
    }

    /// Asks before the only copy of samples is left behind.
    pub(super) fn hold_only_copy(self) {
        self.router.hold(move || {
            let in_memory = self.status.with_untracked(|status| {
                status.as_ref().is_some_and(|status| {
                    status.pending > 0 && matches!(status.mode, StorageMode::Memory { .. })
                })
            });
            (in_memory && self.recorder.with_value(Option::is_some))
                .then_some("Samples that are not stored yet are in this page alone. Leave it and lose them?")
        });
    }

    /// Keeps the choice of cameras up to date while one is open, and names one that goes.
    pub(super) fn mind_cameras(self) {
        let guard = DevicesGuard::new(move || {
            if self.camera.with_untracked(Option::is_none) {
                return;
            }
            self.spawn(async move {
                let now = mien_engine::devices().await;
                let gone = self.cameras.with_untracked(|before| gone(&listed(before), &listed(&now)));
                for camera in &now {
                    self.changed(Change::Camera(&camera.label));
                }
                self.cameras.set(now);
                // Of the one that is open, its run tells.
                if let Some((camera, name)) = gone
                    && self.camera.get_untracked() != Some(camera)
                {
                    self.tell(Notice::CameraGone { name });
                }
            });
        });
        let guard = StoredValue::new_local(Some(guard));
        on_cleanup(move || drop(guard.try_update_value(Option::take)));
    }

    /// The person's yes.
    pub(super) fn agree(self) {
        kept::consent(self.session());
        self.open(camera());
    }

    /// Goes on with another camera; the session and its link stay.
    pub(super) fn use_camera(self, device_id: String) {
        // The former one first: many phones open one camera at a time.
        self.camera_off();
        let camera = CameraChoice { device_id: Some(device_id), ..CameraChoice::default() };
        self.run_from(SourceChoice::Camera(camera), SkipReason::Stalled);
    }

    pub(super) fn open_file(self, file: PickedFile) {
        self.open(if file.is_picture() {
            SourceChoice::Picture(file)
        } else {
            SourceChoice::VideoFile(file)
        });
    }

    /// The way on from a fault.
    pub(super) fn retry(self) {
        self.camera_off();
        self.begin();
    }

    fn open(self, source: SourceChoice) {
        self.camera_off();
        let paused = kept::paused(self.session());
        kept::keep_paused(self.session(), false);
        self.run_from(source, if paused { SkipReason::Paused } else { SkipReason::Stalled });
    }

    fn run_from(self, source: SourceChoice, between: SkipReason) {
        let request = self.analysis.request();
        self.between.set_value(Some(between));
        self.phase.set(Phase::Opening("Loading the analysis into this browser"));
        self.spawn(async move {
            match self.start(source, request).await {
                Ok(run) => {
                    self.camera.set(run.camera());
                    self.run.set_value(Some(run));
                    self.phase.set(Phase::Live);
                    if let Some(id) = self.camera.get_untracked() {
                        kept::keep_camera(&id);
                        self.cameras.set(mien_engine::devices().await);
                    }
                }
                Err(NotStarted::Fault(fault)) => self.fail(fault),
                // Whatever is wanted instead says so itself.
                Err(NotStarted::Replaced) => {}
            }
        });
    }

    /// Where the source is not wanted any more, the camera is not opened, or closed again.
    async fn start(self, source: SourceChoice, mut request: SourceRequest) -> Result<Run, NotStarted> {
        // The analysis first: where it cannot run, the camera need not open at all.
        let engine = request.wait(self.analysis.engine()).await??;
        // Whoever has come instead wants the recorder too, so that its opening is not given up.
        let recorder = self.recorder().await;
        request.check()?;
        // The relay knows more where this browser keeps nothing, or another device recorded before.
        engine.continue_faces(recorder.next_face().max(self.next_face.get_value()));
        self.phase.set(Phase::Opening(match source {
            SourceChoice::Camera(_) => "Opening the camera; the browser may ask you",
            _ => "Opening the file",
        }));
        Ok(engine.open(request, source, move |event| self.on_run(event)).await?)
    }

    /// The first frame of a run says what was between it and the last one of the run before, or of an earlier visit:
    /// `skipped` counts from the source's last sample, and a run knows its own time alone.
    fn join(self, frame: &mut AnalysedFrame) {
        let last = self.last_at.try_update_value(|last| last.replace(frame.captured.at.0)).flatten();
        let reason = self.between.try_update_value(Option::take).flatten();
        let Some((reason, last)) = reason.zip(last) else { return };
        let steps = frame.skipped.iter().filter(|skipped| skipped.reason == SkipReason::ClockStep);
        let stepped: i64 = steps.map(|skipped| skipped.ms).sum();
        let ms = frame.captured.at.0.cast_signed() - last.cast_signed() - stepped;
        if ms > 0 {
            frame.skipped.push(Skipped { reason, ms });
        }
    }

    /// Tells, when this tab is seen again, what its absence cost.
    fn tell_absence(self, frame: &AnalysedFrame, ms: u64) {
        let until = frame.captured.at.0;
        self.tell(if frame.media_ms.is_some() {
            Notice::FileWaited { how_long: format::duration(ms) }
        } else {
            Notice::Unseen {
                from: browser::time_of_day(until.saturating_sub(ms)),
                to: browser::time_of_day(until),
            }
        });
    }

    fn on_run(self, event: RunEvent) {
        match event {
            RunEvent::Frame(mut frame) => {
                self.changed(Change::Picture);
                if let Some(ms) = unseen_ms(&frame.skipped) {
                    self.tell_absence(&frame, ms);
                }
                self.join(&mut frame);
                self.recorder.try_with_value(|opening| {
                    if let Some(recorder) = opening.as_ref().and_then(Shared::peek) {
                        recorder.push(frame.sample(0));
                    }
                });
                self.reading.take_frame(frame);
            }
            RunEvent::Stats(stats) => {
                if stats.analysed_fps > 0.0 {
                    self.changed(Change::Analysed);
                }
                self.reading.stats.try_set(stats);
            }
            RunEvent::Fault(fault) if fault.is_final() => self.later(move || self.fail(fault.into())),
            RunEvent::SourceState(SourceState::Silent(silence)) => {
                self.tell(Notice::SourceSilent { why: silence.to_string() });
            }
            RunEvent::SourceState(SourceState::Playing) => self.changed(Change::Picture),
            RunEvent::Fault(RunFault::WorkerRestarting { .. }) => {
                self.tell(Notice::Restarting);
            }
            RunEvent::Ended(EndReason::Finished) => {
                self.tell(Notice::FileOver);
                self.reading.stats.try_set(RunStats::default());
            }
            RunEvent::Ended(EndReason::Replaced) => self.later(move || {
                if matches!(self.phase.get_untracked(), Phase::Live | Phase::Paused) {
                    self.run.set_value(None);
                    kept::keep_paused(self.session(), true);
                    self.phase.set(Phase::Paused);
                }
            }),
            RunEvent::Fault(_) | RunEvent::Ended(_) => {}
        }
    }

    fn fail(self, fault: Fault) {
        self.camera_off();
        // The list of cameras may not know yet that it is gone.
        let open = self.camera.get_untracked();
        let name = self.cameras.with_untracked(|cameras| name_of(&listed(cameras), open.as_deref()?));
        let fault = fault.of_camera(name.as_deref());
        // Holds the slot until the fault is shown, so that a source requested meanwhile supersedes it.
        let request = self.analysis.request();
        self.spawn(async move {
            let fault = fault.explained().await;
            let phase = self.phase.get_untracked();
            let waits = matches!(phase, Phase::Opening(_) | Phase::Live | Phase::Paused);
            if waits && request.check().is_ok() {
                self.phase.set(Phase::Fault(fault));
            }
        });
    }

    /// The recorder stays, and goes on sending what waits.
    pub(super) fn camera_off(self) {
        self.run.set_value(None);
        self.analysis.withdraw();
        self.changed(Change::Closed);
        self.reading.rest();
    }

    pub(super) fn toggle(self) {
        let pauses = match self.phase.get_untracked() {
            Phase::Live => true,
            Phase::Paused => false,
            _ => return,
        };
        if !pauses && self.run.with_value(Option::is_none) {
            // Paused before a reload.
            return self.open(camera());
        }
        kept::keep_paused(self.session(), pauses);
        if pauses {
            self.changed(Change::Paused);
        }
        self.run.with_value(|run| match run {
            Some(run) if pauses => run.pause(),
            Some(run) => run.resume(),
            None => {}
        });
        self.phase.set(if pauses { Phase::Paused } else { Phase::Live });
    }

    /// After the engine's callback has returned: what is dropped then may be what called.
    fn later(self, work: impl FnOnce() + 'static) {
        self.spawn(async move { work() });
    }
}

fn listed(cameras: &[CameraDevice]) -> Vec<(&str, &str)> {
    cameras.iter().map(|camera| (&*camera.id, &*camera.label)).collect()
}

/// The camera that was used last, or the browser's choice.
fn camera() -> SourceChoice {
    SourceChoice::Camera(CameraChoice { device_id: kept::camera(), ..CameraChoice::default() })
}
