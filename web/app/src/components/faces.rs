//! How many faces are in view, and which one the figures are about.

use leptos::prelude::*;

use super::text::text;
use crate::model::{format, neutral};
use crate::source_signals::SourceSignals;

#[component]
pub(crate) fn Faces(signals: SourceSignals) -> impl IntoView {
    let ids = Memo::new(move |_| {
        let mut ids: Vec<u32> = signals.faces.with(|faces| faces.iter().map(|face| face.id).collect());
        ids.sort_unstable();
        ids
    });
    let count = move || ids.with(Vec::len);
    let left_out = Memo::new(move |_| {
        signals.frame.with(|frame| frame.as_ref().map_or(0, |frame| frame.left_out as u64))
    });
    let shown = Memo::new(move |_| signals.main_face.with(|face| face.as_ref().map(|face| face.id)));
    let own = Memo::new(move |_| signals.main_face.with(|face| face.as_ref().and_then(|face| face.neutral)));
    let button = move |id: u32| {
        view! {
            <button
                aria-pressed=move || (shown.get() == Some(id)).to_string()
                aria-label=format!("Show face {id}")
                on:click=move |_| signals.selected_face.set(Some(id))
                translate="no"
                prop:textContent=id.to_string()
            ></button>
        }
    };
    view! {
        <div class="faces" role="group" aria-label="Faces" data-several=move || (count() > 1).to_string()
            data-own=move || own.get().is_some().to_string()>
            <span class="hint" translate="no" lang="en" data-testid="faces" data-count=move || count().to_string()
                prop:textContent=text(move || format::count(count() as u64, "face", "faces"))></span>
            <Show when=move || { left_out.get() > 0 }>
                <span class="hint" translate="no" lang="en" data-testid="faces-left-out" prop:textContent=text(move || {
                    format!("{} in view, but not analysed", format::count(left_out.get(), "more is", "more are"))
                })></span>
            </Show>
            <Show when=move || own.get().is_some()>
                <span class="hint own" translate="no" lang="en" data-testid="neutral-own"
                    data-count=move || own.get().unwrap_or_default().to_string()
                    prop:textContent=text(move || own.get().map(neutral::compared).unwrap_or_default())></span>
            </Show>
            <Show when=move || { count() > 1 }>
                <For each=move || ids.get() key=|id| *id children=button />
            </Show>
        </div>
    }
}
