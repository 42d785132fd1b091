//! Recordings of this device with samples that still wait for the relay.

use leptos::prelude::*;
use mien_engine::{Unfinished, wall_now};

use super::unsent_list::{Refusal, UnsentList};
use crate::components::{DiscardUnsent, Link, SaveUnsent};
use crate::model::recordings::is_active;
use crate::model::{format, route::Route};
use crate::saved::{self, SavedRecording};

#[component]
pub(crate) fn UnsentRecordings() -> impl IntoView {
    let list = UnsentList::new();
    list.refresh();
    let status = Memo::new(move |_| list.status());
    let is_empty = move || list.recordings.with(Vec::is_empty) && status.get().is_empty();
    view! {
        <ul class="unfinished" hidden=is_empty>
            {move || list.recordings.get().into_iter().map(|unfinished| view! { <Row list=list unfinished=unfinished /> }).collect_view()}
            <li role="status" class="hint" prop:textContent=status></li>
        </ul>
    }
}

#[component]
fn Row(list: UnsentList, unfinished: Unfinished) -> impl IntoView {
    let session = unfinished.session;
    let access = unfinished.access.clone();
    let known = saved::find(session);
    let name = known.as_ref().map_or_else(|| "An earlier session".to_owned(), SavedRecording::name);
    let waits = if unfinished.pending == 1 { "sample is" } else { "samples are" };
    let is_elsewhere = is_active(unfinished.touched_ms, wall_now().0);
    let discard = move || {
        let samples = move || mien_engine::unsent(session);
        view! {
            <SaveUnsent session=session samples=samples />
            <DiscardUnsent on_discard=Callback::new(move |()| list.discard(session)) />
        }
    };
    let actions = move || {
        match (list.refusal(session), access.clone()) {
        // Sending would take the recording over from its tab.
        (None, _) if is_elsewhere => {
            view! { <p class="hint">"It seems to be running in another tab."</p> }.into_any()
        }
        (None, None) => view! {
            <p prop:textContent="The access to their session is lost, so they cannot be sent."></p>
            {discard()}
        }
        .into_any(),
        (Some(Refusal { why, is_transient: false }), _) | (Some(Refusal { why, .. }), None) => {
            view! { <p prop:textContent=why></p>{discard()} }.into_any()
        }
        (refusal, Some(access)) => view! {
            {refusal.map(|refusal| view! { <p prop:textContent=refusal.why></p> })}
            {known.is_some().then(|| view! { <Link to=Route::Session(session) class="button">"Continue"</Link> })}
            <button data-testid="send-unsent" disabled=move || list.sending.get().is_some()
                on:click=move |_| list.send(access.clone())>"Send them now"</button>
            {refusal.map(|_| discard())}
        }
        .into_any(),
    }
    };
    view! {
        <li class="notice" data-testid="unfinished">
            <p>
                <span translate="no" prop:textContent=name></span>": "
                <span translate="no" prop:textContent=format::grouped(unfinished.pending)></span>" "
                <span prop:textContent=waits></span>" waiting on this device to be sent."
            </p>
            {actions}
        </li>
    }
}
