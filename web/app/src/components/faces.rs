//! How many faces are in view, and which one the figures speak of.

use leptos::prelude::*;

use super::text::text;
use crate::model::format;
use crate::reading::Reading;

#[component]
pub(crate) fn Faces(reading: Reading) -> impl IntoView {
    let ids = Memo::new(move |_| {
        let mut ids: Vec<u32> = reading.faces.with(|faces| faces.iter().map(|face| face.id).collect());
        ids.sort_unstable();
        ids
    });
    let count = move || ids.with(Vec::len);
    let left_out = Memo::new(move |_| {
        reading.frame.with(|frame| frame.as_ref().map_or(0, |frame| frame.left_out as u64))
    });
    let main = Memo::new(move |_| reading.main.with(|face| face.as_ref().map(|face| face.id)));
    let choice = move |id: u32| {
        view! {
            <button
                aria-pressed=move || (main.get() == Some(id)).to_string()
                aria-label=format!("Show face {id}")
                on:click=move |_| reading.chosen.set(Some(id))
                translate="no"
                prop:textContent=id.to_string()
            ></button>
        }
    };
    view! {
        <div class="faces" role="group" aria-label="Faces" data-several=move || (count() > 1).to_string()>
            <span class="hint" translate="no" lang="en" data-testid="faces" data-count=move || count().to_string()
                prop:textContent=text(move || format::count(count() as u64, "face", "faces"))></span>
            <Show when=move || { left_out.get() > 0 }>
                <span class="hint" translate="no" lang="en" data-testid="faces-left-out" prop:textContent=text(move || {
                    format!("{} in view and not read", format::count(left_out.get(), "more is", "more are"))
                })></span>
            </Show>
            <Show when=move || { count() > 1 }>
                <For each=move || ids.get() key=|id| *id children=choice />
            </Show>
        </div>
    }
}
