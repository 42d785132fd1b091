//! A run that is neither recorded nor sent: of the demo clip, or of a file on this device.

use leptos::prelude::*;
use mien_engine::{
    EndReason, LoadProgress, Run, RunEvent, RunFault, SourceChoice, SourceFault, SourceRequest,
};

use crate::analysis::{Analysis, NotStarted};
use crate::components::{FaceAction, NeutralAct, NeutralControl};
use crate::fault::Fault;
use crate::page_owner::PageOwner;
use crate::source_signals::SourceSignals;

pub(crate) const LOADING: &str = "Loading the analysis into this browser";

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Phase {
    /// Nothing has been opened yet.
    Idle,
    /// The text says what is being opened.
    Opening(&'static str),
    Running,
    Paused,
    /// Another source has taken its place; it can be opened again.
    Replaced,
    /// The source has ended; what it showed stays.
    Finished,
    Fault(Fault),
}

/// A handle; a copy is the same run.
#[derive(Clone, Copy)]
pub(crate) struct LocalRun {
    analysis: Analysis,
    owner: PageOwner,
    run: StoredValue<Option<Run>, LocalStorage>,
    pub signals: SourceSignals,
    pub phase: RwSignal<Phase>,
}

impl LocalRun {
    /// For as long as the page is open.
    pub(crate) fn new() -> Self {
        Self {
            analysis: expect_context::<Analysis>(),
            owner: PageOwner::current(),
            run: StoredValue::new_local(None),
            signals: SourceSignals::new(),
            phase: RwSignal::new(Phase::Idle),
        }
    }

    pub(crate) fn progress(self) -> Signal<Option<LoadProgress>> {
        self.analysis.progress()
    }

    /// Address of the built-in clip.
    pub(crate) fn demo() -> Result<SourceChoice, SourceFault> {
        Ok(SourceChoice::Demo { url: Analysis::demo_clip().ok_or(SourceFault::NoDemo)? })
    }

    pub(crate) fn open(self, choice: Result<SourceChoice, SourceFault>) {
        let request = self.analysis.request();
        self.run.set_value(None);
        self.phase.set(Phase::Opening(LOADING));
        self.owner.spawn(async move {
            match self.start(choice, request).await {
                Ok(run) => {
                    self.run.set_value(Some(run));
                    // A picture may be finished already.
                    if matches!(self.phase.get_untracked(), Phase::Opening(_)) {
                        self.phase.set(Phase::Running);
                    }
                }
                Err(NotStarted::Fault(fault)) => {
                    let request = self.analysis.request();
                    let fault = fault.explained().await;
                    if request.check().is_ok() {
                        self.phase.set(Phase::Fault(fault));
                    }
                }
                // The source that was requested instead is shown.
                Err(NotStarted::Replaced) => {}
            }
        });
    }

    async fn start(
        self,
        choice: Result<SourceChoice, SourceFault>,
        mut request: SourceRequest,
    ) -> Result<Run, NotStarted> {
        let choice = choice?;
        let engine = request.wait(self.analysis.engine()).await??;
        self.phase.set(Phase::Opening(match choice {
            SourceChoice::Demo { .. } => "Opening the clip",
            _ => "Opening the file",
        }));
        let on = move |event: RunEvent| match event {
            RunEvent::Frame(frame) => self.signals.show_frame(frame),
            RunEvent::Calibration(state) => self.signals.show_calibration(state),
            RunEvent::Stats(stats) => drop(self.signals.stats.try_set(stats)),
            RunEvent::Fault(fault) if fault.is_final() => {
                drop(self.phase.try_set(Phase::Fault(fault.into())));
            }
            RunEvent::Fault(fault @ RunFault::LandmarksLost { .. }) => {
                self.analysis.landmarks_lost(fault.to_string());
            }
            RunEvent::Ended(EndReason::Finished) => {
                self.signals.settle();
                self.phase.try_set(Phase::Finished);
            }
            RunEvent::Ended(EndReason::Replaced) => drop(self.phase.try_set(Phase::Replaced)),
            RunEvent::SourceState(_) | RunEvent::Fault(_) | RunEvent::Ended(_) => {}
        };
        Ok(engine.open(request, choice, on).await?)
    }

    /// What is done about the own neutral face.
    pub(crate) fn neutral(self) -> NeutralControl {
        let act = move |act: NeutralAct| {
            self.run.with_value(|run| {
                if let Some(run) = run {
                    act.on(run);
                }
            });
            if act == NeutralAct::Reset {
                self.signals.forget_neutral();
            }
        };
        NeutralControl {
            is_possible: Signal::derive(move || self.phase.get() == Phase::Running),
            act: Callback::new(act),
        }
    }

    /// Leaves a face out, or brings one back.
    pub(crate) fn change_face(self, action: FaceAction) {
        self.run.with_value(|run| run.iter().for_each(|run| action.apply(run, self.signals)));
    }

    /// Pauses or resumes. False if neither can be done.
    pub(crate) fn toggle_pause(self) -> bool {
        self.run.with_value(|run| match (run, self.phase.get_untracked()) {
            (Some(run), Phase::Running) => {
                run.pause();
                self.phase.set(Phase::Paused);
                true
            }
            (Some(run), Phase::Paused) => {
                run.resume();
                self.phase.set(Phase::Running);
                true
            }
            _ => false,
        })
    }
}
