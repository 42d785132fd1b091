//! The home page's picture: the demo clip, analysed on the spot.

use leptos::prelude::*;

use crate::browser;
use crate::components::{Bars, CurrentExpression, Stage, StageState, text};
use crate::fault::{Fault, Remedy};
use crate::pages::local_run::{LOADING, LocalRun, Phase};

/// It starts on its own, unless the visitor asked for reduced motion or data.
#[component]
pub(crate) fn Preview() -> impl IntoView {
    let run = LocalRun::new();
    let LocalRun { signals, phase, .. } = run;
    let start = move || run.open(LocalRun::demo());
    if !browser::prefers_reduced_motion() && !browser::prefers_reduced_data() {
        start();
    }
    let reloads =
        Memo::new(move |_| matches!(phase.get(), Phase::Fault(Fault { remedy: Remedy::Reload, .. })));
    let toggle = move |_| {
        if reloads.get_untracked() {
            browser::reload();
        } else if !run.toggle_pause() {
            start();
        }
    };
    let has_frame = Memo::new(move |_| signals.frame.with(Option::is_some));
    let state = move || match phase.get() {
        Phase::Opening(_) => StageState::Waiting(LOADING),
        Phase::Running if !has_frame.get() => StageState::Waiting("Reading the first picture"),
        Phase::Paused => StageState::Paused,
        _ => StageState::Showing,
    };
    let label = move || match phase.get() {
        Phase::Opening(_) | Phase::Running => "Pause",
        Phase::Paused => "Resume",
        Phase::Idle | Phase::Replaced | Phase::Finished => "Play the demo here",
        Phase::Fault(_) if reloads.get() => "Reload the page",
        Phase::Fault(_) => "Try again",
    };
    view! {
        <section class="preview" aria-label="Demo, computed in this browser">
            <Stage signals=signals state=Signal::derive(state) progress=run.progress() />
            <div class="beside">
                <CurrentExpression face=signals.main_face is_active=signals.is_active announced=""
                    testid="preview-expression" />
                <button class="quiet" on:click=toggle disabled=move || matches!(phase.get(), Phase::Opening(_))
                    prop:textContent=text(label)></button>
            </div>
            <Bars face=signals.main_face />
            {move || match phase.get() {
                Phase::Fault(fault) => Some(view! {
                    <div class="notice warn" role="status" data-testid="fault" data-fault=fault.kind.name()><p prop:textContent=fault.text></p></div>
                }),
                _ => None,
            }}
        </section>
    }
}
