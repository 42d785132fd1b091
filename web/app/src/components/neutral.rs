//! The own neutral face: the strip in which it is taken, and the offer to take it before a recording.

use leptos::html::Button;
use leptos::prelude::*;
use mien_engine::{FaceProgress, Run};

use super::text::text;
use crate::model::neutral::{NeutralStep, advice};
use crate::source_signals::SourceSignals;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NeutralAct {
    Take,
    Cancel,
    Reset,
    /// Record without it.
    Skip,
}

impl NeutralAct {
    pub(crate) fn on(self, run: &Run) {
        match self {
            // A run that has ended shows so.
            Self::Take => drop(run.calibrate()),
            Self::Cancel | Self::Skip => run.cancel_calibration(),
            Self::Reset => run.reset_neutral(),
        }
    }
}

/// What the strip acts on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NeutralControl {
    /// Whether there are pictures to take it from.
    pub is_possible: Signal<bool>,
    pub act: Callback<NeutralAct>,
}

#[component]
pub(crate) fn NeutralStrip(
    signals: SourceSignals,
    control: NeutralControl,
    on_close: Callback<()>,
) -> impl IntoView {
    let NeutralControl { is_possible, act } = control;
    let shown = signals.neutral;
    let comes_first = Memo::new(move |_| shown.with(|shown| shown.comes_first));
    let name = Memo::new(move |_| shown.with(|shown| shown.step.name()));
    let is_taking = Memo::new(move |_| shown.with(|shown| shown.step.is_taking()));
    let own = Memo::new(move |_| signals.main_face.with(|face| face.as_ref().and_then(|face| face.neutral)));
    let any_own =
        Memo::new(move |_| signals.faces.with(|faces| faces.iter().any(|face| face.neutral.is_some())));
    let ids = Memo::new(move |_| {
        shown.with(|shown| match &shown.step {
            NeutralStep::Taking(faces) => faces.iter().map(|face| face.face).collect(),
            _ => Vec::new(),
        })
    });
    let several = Memo::new(move |_| ids.with(Vec::len) > 1);
    let face = move |id: u32| {
        let progress = Memo::new(move |_| shown.with(|shown| shown.step.of(id)));
        view! { <FaceLine id=id progress=progress is_numbered=several /> }
    };
    let take_label = move || match (is_taking.get(), any_own.get(), name.get()) {
        (true, ..) => "Cancel",
        (false, _, "not-taken") => "Try again",
        (false, true, _) => "Take it again",
        (false, false, _) => "Take it now",
    };
    let button = NodeRef::<Button>::new();
    // Opened by hand, Enter or Space goes on.
    Effect::new(move |_| {
        if let Some(button) = button.get()
            && !comes_first.get_untracked()
        {
            // Focus is refused only for what is not in the document.
            let _ = button.focus();
        }
    });
    view! {
        <div class="strip neutral" role="group" aria-label="Own neutral face" data-testid="neutral"
            data-state=name data-good=move || shown.with(|shown| shown.step.is_good()).to_string()>
            <div class="said">
                <p class="instruction" translate="no" lang="en" data-testid="neutral-text"
                    prop:textContent=text(move || shown.with(|shown| shown.step.text(own.get())))></p>
                <p class="hint" hidden=move || !comes_first.get()>"Nothing is recorded until this is done or skipped."</p>
            </div>
            <ul class="takes" aria-hidden="true" hidden=move || !is_taking.get()>
                <For each=move || ids.get() key=|id| *id children=face />
                <li hidden=move || ids.with(|ids| !ids.is_empty())><span class="advice">"Nobody in view"</span></li>
            </ul>
            <button node_ref=button data-testid="neutral-take" class:primary=move || !is_taking.get()
                hidden=move || comes_first.get() && is_taking.get()
                disabled=move || !is_possible.get()
                on:click=move |_| act.run(if is_taking.get_untracked() { NeutralAct::Cancel } else { NeutralAct::Take })
                prop:textContent=text(take_label)></button>
            <button data-testid="neutral-reset" hidden=move || !any_own.get() || is_taking.get()
                on:click=move |_| act.run(NeutralAct::Reset)>"Reset"</button>
            <button class="quiet" data-testid="neutral-close" hidden=move || is_taking.get() && !comes_first.get()
                on:click=move |_| if comes_first.get_untracked() { act.run(NeutralAct::Skip) } else { on_close.run(()) }
                prop:textContent=text(move || if comes_first.get() { "Skip and record" } else { "Close" })></button>
        </div>
    }
}

/// One face: how far it has got, and what is wrong now.
#[component]
fn FaceLine(id: u32, progress: Memo<Option<FaceProgress>>, is_numbered: Memo<bool>) -> impl IntoView {
    let looks = move || progress.get().map_or(0, |now| now.looks);
    let needed = move || progress.get().map_or(1, |now| now.needed);
    view! {
        <li>
            <span hidden=move || !is_numbered.get() translate="no" lang="en">{format!("Face {id}")}</span>
            <progress prop:max=move || f64::from(needed()) prop:value=move || f64::from(looks())></progress>
            <span class="advice" data-testid="neutral-advice" prop:textContent=text(move || advice(progress.get()))></span>
        </li>
    }
}

/// Before a recording: whether to take it first.
#[component]
pub(crate) fn NeutralOffer(chosen: RwSignal<bool>) -> impl IntoView {
    view! {
        <label class="choice">
            <input type="checkbox" data-testid="neutral-first" prop:checked=move || chosen.get()
                on:change=move |event| chosen.set(event_target_checked(&event)) />
            <span>
                "Take my neutral face first "
                <small>"Three seconds of looking at the camera with a relaxed face, before anything is recorded. Compared with it, faint smiles are found that are missed otherwise."</small>
            </span>
        </label>
    }
}
