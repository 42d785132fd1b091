//! The first page's picture: the demo clip, analysed on the spot.

use leptos::prelude::*;
use mien_engine::{EndReason, Run, RunEvent, SourceChoice, SourceRequest};

use super::scope::Scope;
use crate::analysis::{Analysis, NotStarted};
use crate::browser;
use crate::components::{Bars, Now, Stage, StageState, text};
use crate::fault::{Fault, WayOn};
use crate::reading::Reading;

#[derive(Clone, Debug, PartialEq)]
enum Phase {
    /// Nothing runs until a click: the visitor asked for calm or for little traffic, or something else took its place.
    Asked,
    Opening,
    Running,
    Paused,
    Fault(Fault),
}

#[component]
pub(crate) fn Preview() -> impl IntoView {
    let analysis = expect_context::<Analysis>();
    let reading = Reading::new();
    let scope = Scope::here();
    let phase = RwSignal::new(Phase::Asked);
    let run = StoredValue::<Option<Run>, LocalStorage>::new_local(None);
    let start = move || {
        let request = analysis.request();
        phase.set(Phase::Opening);
        scope.spawn(async move {
            match open(analysis, request, reading, phase).await {
                Ok(opened) => {
                    run.set_value(Some(opened));
                    phase.set(Phase::Running);
                }
                Err(NotStarted::Replaced) => phase.set(Phase::Asked),
                Err(NotStarted::Fault(fault)) => phase.set(Phase::Fault(fault.explained().await)),
            }
        });
    };
    if !browser::reduced_motion() && !browser::reduced_data() {
        start();
    }
    let reloads =
        Memo::new(move |_| matches!(phase.get(), Phase::Fault(Fault { way_on: WayOn::Reload, .. })));
    let toggle = move |_| {
        if reloads.get_untracked() {
            return browser::reload();
        }
        run.with_value(|run| match (run, phase.get_untracked()) {
            (Some(run), Phase::Running) => {
                run.pause();
                phase.set(Phase::Paused);
            }
            (Some(run), Phase::Paused) => {
                run.resume();
                phase.set(Phase::Running);
            }
            _ => start(),
        });
    };
    let has_frame = Memo::new(move |_| reading.frame.with(Option::is_some));
    let state = move || match phase.get() {
        Phase::Opening => StageState::Waiting("Loading the analysis into this browser"),
        Phase::Running if !has_frame.get() => StageState::Waiting("Reading the first picture"),
        Phase::Paused => StageState::Paused,
        _ => StageState::Showing,
    };
    let label = move || match phase.get() {
        Phase::Opening | Phase::Running => "Pause",
        Phase::Paused => "Go on",
        Phase::Asked => "Play the demo here",
        Phase::Fault(_) if reloads.get() => "Reload the page",
        Phase::Fault(_) => "Try again",
    };
    view! {
        <section class="preview" aria-label="Demo, computed in this browser">
            <Stage reading=reading state=Signal::derive(state) progress=analysis.progress() />
            <div class="beside">
                <Now face=reading.main begun=reading.begun spoken="" testid="preview-expression" />
                <button class="quiet" on:click=toggle disabled=move || phase.get() == Phase::Opening
                    prop:textContent=text(label)></button>
            </div>
            <Bars face=reading.main />
            {move || match phase.get() {
                Phase::Fault(fault) => Some(view! {
                    <div class="notice warn" role="status" data-testid="fault" data-fault=fault.kind><p prop:textContent=fault.text></p></div>
                }),
                _ => None,
            }}
        </section>
    }
}

async fn open(
    analysis: Analysis,
    mut request: SourceRequest,
    reading: Reading,
    phase: RwSignal<Phase>,
) -> Result<Run, NotStarted> {
    let url = Analysis::demo_clip().ok_or(mien_engine::SourceFault::NoDemo)?;
    let engine = request.wait(analysis.engine()).await??;
    let on = move |event: RunEvent| match event {
        RunEvent::Frame(frame) => reading.take_frame(frame),
        RunEvent::Stats(stats) => drop(reading.stats.try_set(stats)),
        RunEvent::Fault(fault) if fault.is_final() => drop(phase.try_set(Phase::Fault(fault.into()))),
        RunEvent::Ended(EndReason::Finished | EndReason::Replaced) => drop(phase.try_set(Phase::Asked)),
        RunEvent::SourceState(_) | RunEvent::Fault(_) | RunEvent::Ended(_) => {}
    };
    Ok(engine.open(request, SourceChoice::Demo { url }, on).await?)
}
