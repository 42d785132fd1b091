//! The whole instrument over the demo clip or a file of the visitor's. Nothing is recorded and nothing is sent.

use leptos::prelude::*;
use mien_engine::{EndReason, PickedFile, Run, RunEvent, SourceChoice, SourceFault, SourceRequest};

use super::instrument::Instrument;
use super::scope::Scope;
use crate::analysis::{Analysis, NotStarted};
use crate::components::{FaultCard, FilePick, Link, LinkWords, StageState, text};
use crate::fault::Fault;
use crate::focus;
use crate::model::route::Route;
use crate::reading::Reading;
use crate::router::Router;
use crate::title;

/// The file that the visitor picked on the first page, until the trial takes it. In context at the top.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Picked(RwSignal<Option<PickedFile>, LocalStorage>);

impl Picked {
    pub(crate) fn new() -> Self {
        Self(RwSignal::new_local(None))
    }

    pub(crate) fn put(self, file: PickedFile) {
        self.0.set(Some(file));
    }

    fn take(self) -> Option<PickedFile> {
        self.0.try_update(Option::take).flatten()
    }
}

const LOADING: &str = "Loading the analysis into this browser";

#[derive(Clone, Debug, PartialEq)]
enum Phase {
    /// The words say what is being opened.
    Opening(&'static str),
    Running,
    Paused,
    /// Something else took its place; it can be opened again.
    Replaced,
    /// The file is done; what it showed stays.
    Over,
    Fault(Fault),
}

/// What is looked at.
#[derive(Clone, Debug)]
enum Source {
    Demo,
    File(PickedFile),
}

impl Source {
    fn name(&self) -> String {
        match self {
            Self::Demo => "Demo".to_owned(),
            Self::File(file) => file.name(),
        }
    }

    fn choice(self) -> Result<SourceChoice, SourceFault> {
        Ok(match self {
            Self::Demo => SourceChoice::Demo { url: Analysis::demo_clip().ok_or(SourceFault::NoDemo)? },
            Self::File(file) if file.is_picture() => SourceChoice::Picture(file),
            Self::File(file) => SourceChoice::VideoFile(file),
        })
    }
}

#[derive(Clone, Copy)]
struct State {
    analysis: Analysis,
    reading: Reading,
    scope: Scope,
    source: RwSignal<Source, LocalStorage>,
    phase: RwSignal<Phase>,
    run: StoredValue<Option<Run>, LocalStorage>,
}

#[component]
pub(crate) fn Trial() -> impl IntoView {
    let router = expect_context::<Router>();
    let source = expect_context::<Picked>().take().map_or(Source::Demo, Source::File);
    let state = State {
        analysis: expect_context::<Analysis>(),
        reading: Reading::new(),
        scope: Scope::here(),
        source: RwSignal::new_local(source),
        phase: RwSignal::new(Phase::Opening(LOADING)),
        run: StoredValue::new_local(None),
    };
    state.start();
    let on_pick = Callback::new(move |file: PickedFile| state.look_at(Source::File(file)));
    let fault = Memo::new(move |_| match state.phase.get() {
        Phase::Fault(fault) => Some(fault),
        _ => None,
    });
    focus::follow(move || fault.get());
    title::follow(move || {
        fault.with(|fault| {
            fault.as_ref().map_or_else(|| state.source.with(Source::name), |fault| fault.title.to_owned())
        })
    });
    view! {
        {move || match fault.get() {
            Some(fault) => view! {
                <FaultCard fault=fault on_retry=Callback::new(move |()| state.start()) on_pick=Some(on_pick) />
            }.into_any(),
            None => view! { <TrialView state=state on_pick=on_pick on_stop=Callback::new(move |()| router.go(Route::Home)) /> }.into_any(),
        }}
    }
}

#[component]
fn TrialView(state: State, on_pick: Callback<PickedFile>, on_stop: Callback<()>) -> impl IntoView {
    let has_frame = Memo::new(move |_| state.reading.frame.with(Option::is_some));
    let stage = move || match state.phase.get() {
        Phase::Opening(what) => StageState::Waiting(what),
        Phase::Running if !has_frame.get() => StageState::Waiting("Reading the first picture"),
        Phase::Paused | Phase::Replaced => StageState::Paused,
        _ => StageState::Showing,
    };
    let link = || LinkWords { name: "none", text: "Nothing is recorded", waiting: 0 };
    let is_demo = move || state.source.with(|source| matches!(source, Source::Demo));
    let words = move || match (is_demo(), state.phase.get() == Phase::Over) {
        (true, _) => "A clip with known faces, analysed here and now. Your own camera works the same, live.",
        (false, true) => "The file is done. It was read here and went nowhere.",
        (false, false) => "Your file is read here and goes nowhere.",
    };
    view! {
        <Instrument
            title=Signal::derive(move || state.source.with(Source::name))
            link=Signal::derive(link)
            sent=None
            pending=0
            stage=Signal::derive(stage)
            progress=state.analysis.progress()
            reading=state.reading
            stop_label="Close"
            on_pause=Callback::new(move |()| state.toggle())
            on_stop=on_stop
            on_mark=Callback::new(|_| {})
            on_unmark=Callback::new(|_| {})
        >
            <div class="notice">
                <p prop:textContent=text(words)></p>
                <FilePick on_pick=on_pick label="Open a file" />
                <Link to=Route::Start class="button primary" testid="start-session">"Start a session"</Link>
            </div>
        </Instrument>
    }
}

impl State {
    fn look_at(self, source: Source) {
        self.source.set(source);
        self.start();
    }

    fn start(self) {
        let request = self.analysis.request();
        self.run.set_value(None);
        self.reading.rest();
        self.phase.set(Phase::Opening(LOADING));
        self.scope.spawn(async move {
            match self.open(request).await {
                Ok(run) => {
                    self.run.set_value(Some(run));
                    // A picture may be done before this line.
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
                // What was opened instead says itself how it goes.
                Err(NotStarted::Replaced) => {}
            }
        });
    }

    async fn open(self, mut request: SourceRequest) -> Result<Run, NotStarted> {
        let choice = self.source.get_untracked().choice()?;
        let engine = request.wait(self.analysis.engine()).await??;
        self.phase.set(Phase::Opening(match choice {
            SourceChoice::Demo { .. } => "Opening the clip",
            _ => "Opening the file",
        }));
        let on = move |event: RunEvent| match event {
            RunEvent::Frame(frame) => self.reading.take_frame(frame),
            RunEvent::Stats(stats) => drop(self.reading.stats.try_set(stats)),
            RunEvent::Fault(fault) if fault.is_final() => {
                drop(self.phase.try_set(Phase::Fault(fault.into())));
            }
            RunEvent::Ended(EndReason::Finished) => drop(self.phase.try_set(Phase::Over)),
            RunEvent::Ended(EndReason::Replaced) => drop(self.phase.try_set(Phase::Replaced)),
            RunEvent::SourceState(_) | RunEvent::Fault(_) | RunEvent::Ended(_) => {}
        };
        Ok(engine.open(request, choice, on).await?)
    }

    fn toggle(self) {
        if self.phase.get_untracked() == Phase::Replaced {
            return self.start();
        }
        self.run.with_value(|run| match (run, self.phase.get_untracked()) {
            (Some(run), Phase::Running) => {
                run.pause();
                self.phase.set(Phase::Paused);
            }
            (Some(run), Phase::Paused) => {
                run.resume();
                self.phase.set(Phase::Running);
            }
            _ => {}
        });
    }
}
