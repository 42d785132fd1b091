//! The live view over the demo clip or a visitor's file. Nothing is recorded and nothing is sent.

use leptos::prelude::*;
use mien_engine::{PickedFile, SourceChoice, SourceFault};

use super::local_run::{LocalRun, Phase};
use crate::browser::{focus, title};
use crate::components::{FaultCard, FilePick, Link, LiveView, StageState, text};
use crate::model::link::LinkText;
use crate::model::route::Route;
use crate::router::Router;

/// The file that the visitor picked on the home page, until this page takes it. In context at the top.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PickedFileSlot(RwSignal<Option<PickedFile>, LocalStorage>);

impl PickedFileSlot {
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
        match self {
            Self::Demo => LocalRun::demo(),
            Self::File(file) if file.is_picture() => Ok(SourceChoice::Picture(file)),
            Self::File(file) => Ok(SourceChoice::VideoFile(file)),
        }
    }
}

#[derive(Clone, Copy)]
struct State {
    run: LocalRun,
    source: RwSignal<Source, LocalStorage>,
}

impl State {
    fn open(self, source: Source) {
        self.source.set(source);
        self.start();
    }

    fn start(self) {
        self.run.signals.stop();
        self.run.open(self.source.get_untracked().choice());
    }

    fn toggle_pause(self) {
        if self.run.phase.get_untracked() == Phase::Replaced {
            self.start();
        } else {
            self.run.toggle_pause();
        }
    }
}

#[component]
pub(crate) fn Demo() -> impl IntoView {
    let router = expect_context::<Router>();
    let source = expect_context::<PickedFileSlot>().take().map_or(Source::Demo, Source::File);
    let state = State { run: LocalRun::new(), source: RwSignal::new_local(source) };
    state.start();
    let on_pick = Callback::new(move |file: PickedFile| state.open(Source::File(file)));
    let fault = Memo::new(move |_| match state.run.phase.get() {
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
            None => view! { <DemoView state=state on_pick=on_pick on_stop=Callback::new(move |()| router.go(Route::Home)) /> }.into_any(),
        }}
    }
}

#[component]
fn DemoView(state: State, on_pick: Callback<PickedFile>, on_stop: Callback<()>) -> impl IntoView {
    let LocalRun { signals, phase, .. } = state.run;
    let has_frame = Memo::new(move |_| signals.frame.with(Option::is_some));
    let stage = move || match phase.get() {
        Phase::Opening(what) => StageState::Waiting(what),
        Phase::Running if !has_frame.get() => StageState::Waiting("Reading the first picture"),
        Phase::Paused | Phase::Replaced => StageState::Paused,
        _ => StageState::Showing,
    };
    let link = || LinkText { name: "none", text: "Nothing is recorded", waiting: 0 };
    let is_demo = move || state.source.with(|source| matches!(source, Source::Demo));
    let words = move || match (is_demo(), phase.get() == Phase::Finished) {
        (true, _) => {
            "A clip with known faces, analysed here and now. Your own camera works the same way, live."
        }
        (false, true) => "The file has finished. It was analysed here and sent nowhere.",
        (false, false) => "Your file is analysed here and sent nowhere.",
    };
    view! {
        <LiveView
            title=Signal::derive(move || state.source.with(Source::name))
            link=Signal::derive(link)
            bytes_sent=None
            pending=0
            stage=Signal::derive(stage)
            progress=state.run.progress()
            signals=signals
            stop_label="Close"
            neutral=state.run.neutral()
            on_pause=Callback::new(move |()| state.toggle_pause())
            on_stop=on_stop
            on_face=Callback::new(move |action| state.run.change_face(action))
            on_mark=Callback::new(|_| {})
            on_unmark=Callback::new(|_| {})
        >
            <div class="notice">
                <p prop:textContent=text(words)></p>
                <FilePick on_pick=on_pick label="Open a file" />
                <Link to=Route::Start class="button primary" testid="start-session">"Start a session"</Link>
            </div>
        </LiveView>
    }
}
