//! How many faces are in view, which one the figures are about, and which are left out.

use leptos::html::Div;
use leptos::prelude::*;
use mien_engine::Run;

use super::icon::{Glyph, Icon};
use super::text::text;
use crate::browser::focus;
use crate::model::{format, neutral};
use crate::source_signals::SourceSignals;

/// What the person does with a face, by its identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaceAction {
    LeaveOut(u32),
    BringBack(u32),
}

impl FaceAction {
    pub(crate) fn apply(self, run: &Run, signals: SourceSignals) {
        match self {
            Self::LeaveOut(id) => run.leave_out(id),
            Self::BringBack(id) => run.bring_back(id),
        };
        signals.set_left_out(run.left_out());
    }
}

#[component]
pub(crate) fn Faces(signals: SourceSignals, on_face: Callback<FaceAction>) -> impl IntoView {
    let list = NodeRef::<Div>::new();
    let ids = Memo::new(move |_| {
        let mut ids: Vec<u32> = signals.faces.with(|faces| faces.iter().map(|face| face.id).collect());
        ids.sort_unstable();
        ids
    });
    let count = move || ids.with(Vec::len);
    let not_read = Memo::new(move |_| {
        signals.frame.with(|frame| frame.as_ref().map_or(0, |frame| frame.left_out as u64))
    });
    let shown = Memo::new(move |_| signals.main_face.with(|face| face.as_ref().map(|face| face.id)));
    let own = Memo::new(move |_| signals.main_face.with(|face| face.as_ref().and_then(|face| face.neutral)));
    let left_out = Memo::new(move |_| {
        signals.notes.with(|notes| notes.left_out.iter().map(|face| face.id).collect::<Vec<_>>())
    });
    let act = move |action: FaceAction| {
        on_face.run(action);
        // The button that had the focus goes; what undoes it comes next.
        let next = match action {
            FaceAction::LeaveOut(_) => ".bring-back:last-of-type",
            FaceAction::BringBack(_) => "button",
        };
        focus::to_one_within(list.get_untracked().map(Into::into), next);
    };
    let face = move |id: u32| {
        view! {
            <span class="face">
                <button
                    class="pick"
                    aria-pressed=move || (shown.get() == Some(id)).to_string()
                    aria-label=format!("Show face {id}")
                    aria-keyshortcuts="Delete"
                    on:click=move |_| signals.selected_face.set(Some(id))
                    on:keydown=move |event| {
                        if matches!(event.key().as_str(), "Delete" | "Backspace") {
                            event.prevent_default();
                            act(FaceAction::LeaveOut(id));
                        }
                    }
                    translate="no"
                    prop:textContent=id.to_string()
                ></button>
                <button class="leave-out" data-testid="leave-out" data-face=id.to_string()
                    aria-label=format!("Leave face {id} out") title="Leave this face out"
                    on:click=move |_| act(FaceAction::LeaveOut(id))>
                    <Icon glyph=Glyph::LeaveOut />
                </button>
            </span>
        }
    };
    let back = move |id: u32| {
        view! {
            <button class="bring-back" data-testid="bring-back" data-face=id.to_string()
                aria-label=format!("Bring face {id} back") on:click=move |_| act(FaceAction::BringBack(id))>
                <Icon glyph=Glyph::BringBack /><span translate="no" prop:textContent=id.to_string()></span>
            </button>
        }
    };
    let out_words = move || match left_out.with(Vec::len) as u64 {
        0 => String::new(),
        number => format!("{} left out", format::count(number, "face", "faces")),
    };
    view! {
        <div class="faces" node_ref=list role="group" aria-label="Faces"
            data-several=move || (count() > 1).to_string()
            data-own=move || own.get().is_some().to_string()
            data-left-out=move || left_out.with(Vec::len).to_string()>
            <span class="hint" translate="no" lang="en" data-testid="faces" data-count=move || count().to_string()
                prop:textContent=text(move || format::count(count() as u64, "face", "faces"))></span>
            <Show when=move || { not_read.get() > 0 }>
                <span class="hint" translate="no" lang="en" data-testid="faces-left-out" prop:textContent=text(move || {
                    format!("{} in view, but not analysed", format::count(not_read.get(), "more is", "more are"))
                })></span>
            </Show>
            <Show when=move || own.get().is_some()>
                <span class="hint own" translate="no" lang="en" data-testid="neutral-own"
                    data-count=move || own.get().unwrap_or_default().to_string()
                    prop:textContent=text(move || own.get().map(neutral::compared).unwrap_or_default())></span>
            </Show>
            <For each=move || ids.get() key=|id| *id children=face />
            <span class="out" role="status" translate="no" lang="en" data-testid="faces-set-aside"
                data-count=move || left_out.with(Vec::len).to_string() prop:textContent=text(out_words)></span>
            <For each=move || left_out.get() key=|id| *id children=back />
        </div>
    }
}
