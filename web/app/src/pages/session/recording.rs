//! The one owner of a recording: camera, recorder and phase change here and nowhere else.

use std::future::Future;

use futures_util::future::{Either, join, select};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use mien_engine::api::ApiFault;
use mien_engine::{
    CameraChoice, CameraDevice, EndReason, LinkEnd, LinkState, LoadProgress, PickedFile, Recorder,
    RecorderEvent, RecorderStatus, Run, RunEvent, RunFault, SourceChoice,
};
use mien_shared::api::{Marker, PatchSession};
use mien_shared::problem::CloseCode;
use mien_shared::{Sample, SessionId, SessionStatus};

use super::{Outcome, Phase, history, markers};
use crate::analysis::Analysis;
use crate::fault::Fault;
use crate::kept::{self, Kept};
use crate::model::timeline::Timeline;
use crate::pages::scope::Scope;
use crate::reading::Reading;

/// How long the relay may take to say whether a session goes on before the camera opens without it: a reload
/// must work offline too.
const CHECK_MS: u32 = 2_000;
/// How long the last samples may take after stop.
const PATIENCE_MS: u32 = 15_000;

/// A handle; a copy is the same recording.
#[derive(Clone, Copy)]
pub(super) struct Recording {
    kept: StoredValue<Kept>,
    analysis: Analysis,
    scope: Scope,
    pub(super) reading: Reading,
    pub(super) phase: RwSignal<Phase>,
    pub(super) status: RwSignal<Option<RecorderStatus>>,
    /// Something worth a line that stops nothing.
    pub(super) notice: RwSignal<Option<String>>,
    run: StoredValue<Option<Run>, LocalStorage>,
    recorder: StoredValue<Option<Recorder>, LocalStorage>,
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
        Self {
            kept: StoredValue::new(kept),
            analysis: expect_context::<Analysis>(),
            scope: Scope::here(),
            reading: Reading::new(),
            phase: RwSignal::new(Phase::Checking),
            status: RwSignal::new(None),
            notice: RwSignal::new(None),
            run: StoredValue::new_local(None),
            recorder: StoredValue::new_local(None),
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
    }

    pub(super) fn kept(self) -> Kept {
        self.kept.get_value()
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
                Some(Err(fault @ ApiFault::Problem(_))) => self.phase.set(Phase::Fault(problem(fault))),
                Some(Ok(_)) => {
                    // Once: another try after a fault has it all still.
                    if self.reading.timeline.with_untracked(Timeline::is_empty) {
                        join(markers::load(self), history::load(self)).await;
                    }
                    self.proceed();
                }
                // Unreachable: the outbox takes what the camera gives until the relay is back.
                Some(Err(_)) | None => self.proceed(),
            }
        });
    }

    fn proceed(self) {
        if kept::consented(self.session()) {
            self.open(camera());
        } else {
            self.phase.set(Phase::Consent);
        }
    }

    /// The person's yes.
    pub(super) fn agree(self) {
        kept::consent(self.session());
        self.open(camera());
    }

    /// Goes on with another camera; the session and its link stay.
    pub(super) fn use_camera(self, device_id: String) {
        // The former one first: many phones open one camera at a time.
        self.run.set_value(None);
        self.reading.rest();
        self.run_from(SourceChoice::Camera(CameraChoice {
            device_id: Some(device_id),
            ..CameraChoice::default()
        }));
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
        self.release();
        self.begin();
    }

    fn open(self, source: SourceChoice) {
        self.release();
        self.notice.set(None);
        self.run_from(source);
    }

    fn run_from(self, source: SourceChoice) {
        self.phase.set(Phase::Opening("Loading the analysis into this browser"));
        self.spawn(async move {
            match self.start(source).await {
                Ok(run) => {
                    // A link that ended meanwhile has decided already.
                    if matches!(self.phase.get_untracked(), Phase::Opening(_)) {
                        self.camera.set(run.camera());
                        self.run.set_value(Some(run));
                        self.phase.set(Phase::Live);
                        if let Some(id) = self.camera.get_untracked() {
                            kept::keep_camera(&id);
                            self.cameras.set(mien_engine::devices().await);
                        }
                    }
                }
                Err(fault) => self.fail(fault),
            }
        });
    }

    async fn start(self, source: SourceChoice) -> Result<Run, Fault> {
        // The analysis first: where it cannot run, the camera need not open at all.
        let engine = self.analysis.engine().await?;
        if self.recorder.with_value(Option::is_none) {
            let recorder =
                Recorder::open(self.kept.with_value(Kept::access), move |event| self.on_recorder(event))
                    .await;
            self.status.set(Some(recorder.status()));
            // The relay knows more where this browser keeps nothing, or another device recorded before.
            engine.continue_faces(recorder.next_face().max(self.next_face.get_value()));
            self.recorder.set_value(Some(recorder));
        }
        if let Phase::Opening(_) = self.phase.get_untracked() {
            self.phase.set(Phase::Opening("Opening the camera; the browser may ask you"));
        }
        Ok(engine.start(source, move |event| self.on_run(event)).await?)
    }

    fn on_run(self, event: RunEvent) {
        match event {
            RunEvent::Frame(frame) => {
                self.recorder.try_with_value(|recorder| {
                    if let Some(recorder) = recorder {
                        recorder.push(frame.at_ms, &frame.faces);
                    }
                });
                self.reading.take_frame(frame);
            }
            RunEvent::Stats(stats) => drop(self.reading.stats.try_set(stats)),
            RunEvent::Fault(fault) if fault.is_final() => self.later(move || self.fail(fault.into())),
            RunEvent::Fault(RunFault::WorkerRestarting { .. }) => {
                self.notice.try_set(Some(
                    "The analysis stumbled and is being restarted; nothing was lost.".to_owned(),
                ));
            }
            RunEvent::Ended(EndReason::Finished) => {
                let over = "The file is done. Stop ends the session and shows what was stored.";
                self.notice.try_set(Some(over.to_owned()));
            }
            RunEvent::Fault(_) | RunEvent::Ended(_) => {}
        }
    }

    fn on_recorder(self, event: RecorderEvent) {
        let RecorderEvent::Status(status) = event else { return };
        let end = match &status.link {
            LinkState::Ended(end) => Some(*end),
            _ => None,
        };
        self.status.try_set(Some(status));
        // While finishing, whoever waits for the recorder decides.
        let waits = matches!(self.phase.try_get_untracked(), Some(Phase::Finishing | Phase::Done(_)) | None);
        if let Some(end) = end.filter(|_| !waits) {
            self.later(move || self.link_ended(end));
        }
    }

    /// The link is over for good: the camera goes off, and the relay says what became of the session. If that
    /// goes on, the link itself says why it ended.
    fn link_ended(self, end: LinkEnd) {
        self.release();
        self.phase.set(Phase::Checking);
        self.spawn(async move {
            match self.kept().relay().session(self.session()).await {
                Ok(session) if session.status == SessionStatus::Completed => self.conclude().await,
                Err(fault @ ApiFault::Problem(_)) => self.phase.set(Phase::Fault(problem(fault))),
                Ok(_) | Err(_) => self.phase.set(Phase::Fault(match end {
                    LinkEnd::Closed(close) => Fault::closed(close),
                    LinkEnd::TakenOver | LinkEnd::Done => Fault::superseded(),
                })),
            }
        });
    }

    fn fail(self, fault: Fault) {
        self.release();
        self.phase.set(Phase::Fault(fault));
    }

    /// Camera off, link closed. What is not acked stays on the disk.
    fn release(self) {
        self.run.set_value(None);
        self.recorder.set_value(None);
        self.reading.rest();
    }

    pub(super) fn toggle(self) {
        self.run.with_value(|run| match (run, self.phase.get_untracked()) {
            (Some(run), Phase::Live) => {
                run.pause();
                self.phase.set(Phase::Paused);
            }
            (Some(run), Phase::Paused) => {
                self.reading.interrupt();
                run.resume();
                self.phase.set(Phase::Live);
            }
            _ => {}
        });
    }

    /// Camera off at once; then everything is sent, the session completed and its summary shown.
    pub(super) fn stop(self) {
        self.run.set_value(None);
        self.reading.rest();
        self.phase.set(Phase::Finishing);
        self.spawn(async move {
            let recorder = match self.recorder.get_value() {
                Some(recorder) => recorder,
                None => {
                    Recorder::open(self.kept.with_value(Kept::access), move |event| self.on_recorder(event))
                        .await
                }
            };
            self.recorder.set_value(None);
            let all = recorder.complete(PATIENCE_MS).await;
            let status = recorder.status();
            self.status.set(Some(status.clone()));
            if !all && status.pending > 0 {
                let why = "Not everything is stored yet, so the session stays open.".to_owned();
                self.phase.set(Phase::Done(Outcome { summary: Err(why), pending: status.pending }));
                return;
            }
            let patch = PatchSession { title: None, status: Some(SessionStatus::Completed) };
            match self.kept().relay().patch_session(self.session(), &patch).await {
                Ok(_) => self.conclude().await,
                Err(fault) => {
                    let why = format!("The session could not be closed: {fault}");
                    self.phase.set(Phase::Done(Outcome { summary: Err(why), pending: 0 }));
                }
            }
        });
    }

    /// Shows what the relay has of the completed session.
    async fn conclude(self) {
        kept::withdraw_consent(self.session());
        let summary = self.kept().relay().summary(self.session()).await.map_err(|fault| fault.to_string());
        self.phase.set(Phase::Done(Outcome { summary, pending: 0 }));
    }

    /// After the engine's callback has returned: what is dropped then may be what called.
    fn later(self, work: impl FnOnce() + 'static) {
        self.spawn(async move { work() });
    }
}

/// The camera that was used last, or the browser's choice.
fn camera() -> SourceChoice {
    SourceChoice::Camera(CameraChoice { device_id: kept::camera(), ..CameraChoice::default() })
}

fn problem(fault: ApiFault) -> Fault {
    use mien_shared::Code;
    match fault.code() {
        Some(Code::Unauthorized) => Fault::closed(CloseCode::Unauthorized),
        Some(Code::Forbidden) => Fault::closed(CloseCode::Forbidden),
        Some(Code::SessionNotFound) => Fault::closed(CloseCode::SessionNotFound),
        Some(Code::SessionEnded) => Fault::closed(CloseCode::SessionEnded),
        _ => fault.into(),
    }
}
