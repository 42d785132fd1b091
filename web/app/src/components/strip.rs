//! Strips that open below the bar: the share link, and the label of a marker. They cover nothing.

use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::text::text;
use crate::browser;
use crate::model::timeline::{Timeline, TimelineMarker};

/// The address for watchers, ready to be copied.
#[component]
pub(crate) fn ShareStrip(link: String, on_close: Callback<()>) -> impl IntoView {
    let field = NodeRef::<Input>::new();
    let copied = RwSignal::new(None::<bool>);
    let to_copy = link.clone();
    let copy = move || {
        let link = to_copy.clone();
        spawn_local(async move {
            let done = browser::copy(&link).await;
            copied.try_set(Some(done));
        });
    };
    copy();
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            field.select();
        }
    });
    let result = move || match copied.get() {
        Some(true) => "Copied. Whoever has this link sees the numbers live, never a picture.",
        Some(false) => "Copy the link by hand: the browser did not allow the page to copy it.",
        None => "",
    };
    view! {
        <div class="strip" role="group" aria-label="Share link">
            <input type="text" readonly node_ref=field aria-label="Link for watchers" data-testid="share-link"
                prop:value=link.clone() value=link />
            <button on:click=move |_| copy()>"Copy"</button>
            <button class="quiet" on:click=move |_| on_close.run(())>"Close"</button>
            <p class="hint" role="status" prop:textContent=text(result)></p>
        </div>
    }
}

/// Asks for the label of a marker at `at_ms`, and lists the existing ones; the recording continues meanwhile.
#[component]
pub(crate) fn MarkerStrip(
    at_ms: u64,
    default_label: String,
    timeline: RwSignal<Timeline>,
    on_save: Callback<String>,
    on_delete: Callback<TimelineMarker>,
    on_close: Callback<()>,
) -> impl IntoView {
    // The newest first.
    let markers = Memo::new(move |_| {
        let mut markers: Vec<TimelineMarker> =
            timeline.with(|timeline| timeline.markers().cloned().collect());
        markers.reverse();
        markers
    });
    let field = NodeRef::<Input>::new();
    let focus = move || {
        if let Some(field) = field.get() {
            // Focus is refused only for what is not in the document.
            let _ = field.focus();
        }
    };
    Effect::new(move |_| focus());
    let placeholder = default_label.clone();
    let save = move |event: SubmitEvent| {
        event.prevent_default();
        let typed = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        let typed = typed.trim();
        on_save.run(if typed.is_empty() { default_label.clone() } else { typed.to_owned() });
    };
    view! {
        <form class="strip" on:submit=save aria-label="New marker">
            <label for="marker-label">
                "Marker at "<span translate="no" prop:textContent=browser::time_of_day(at_ms)></span>
            </label>
            <input type="text" id="marker-label" node_ref=field placeholder=placeholder autocomplete="off"
                maxlength=mien_shared::limits::MAX_LABEL_CHARS.to_string() data-testid="marker-label" />
            <button class="primary" type="submit" data-testid="marker-save">"Save marker"</button>
            <button class="quiet" type="button" on:click=move |_| on_close.run(())>"Cancel"</button>
            <ul class="markers" aria-label="Markers" data-testid="markers" hidden=move || markers.with(Vec::is_empty)>
                {move || markers.get().into_iter().map(|marker| {
                    let name = format!("Delete the marker {}", marker.label);
                    let (time, label) = (browser::time_of_day(marker.at_ms), marker.label.clone());
                    view! {
                        <li>
                            <span class="hint" translate="no" prop:textContent=time></span>
                            <span class="label" translate="no" prop:textContent=label></span>
                            <button class="quiet" type="button" aria-label=name data-testid="marker-delete"
                                on:click=move |_| {
                                    on_delete.run(marker.clone());
                                    // The button that had the focus goes.
                                    focus();
                                }>"Delete"</button>
                        </li>
                    }
                }).collect_view()}
            </ul>
        </form>
    }
}
