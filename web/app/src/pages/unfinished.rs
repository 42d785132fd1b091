//! Recordings of this device whose samples still wait for the relay.

use leptos::prelude::*;
use mien_engine::{Recorder, Unfinished};

use super::scope::Scope;
use crate::components::Link;
use crate::kept;
use crate::model::{format, route::Route};

/// How long sending the rest of a former recording may take.
const PATIENCE_MS: u32 = 30_000;

#[component]
pub(crate) fn UnfinishedList() -> impl IntoView {
    let scope = Scope::here();
    let waiting = RwSignal::new(Vec::<Unfinished>::new());
    let said = RwSignal::new(None::<&'static str>);
    let look = move || {
        scope.spawn(async move { waiting.set(mien_engine::unfinished().await) });
    };
    look();
    let send = move |unfinished: Unfinished| {
        said.set(Some("Sending"));
        scope.spawn(async move {
            let recorder = Recorder::open(unfinished.access, |_| {}).await;
            let all = recorder.complete(PATIENCE_MS).await;
            said.set(Some(if all {
                "Everything is stored."
            } else {
                "The relay did not take everything now. Nothing was lost; try again later."
            }));
            waiting.set(mien_engine::unfinished().await);
        });
    };
    let row = move |unfinished: Unfinished| {
        let session = unfinished.access.session;
        let known = kept::find(session);
        let name = known.as_ref().map_or_else(|| "An earlier session".to_owned(), kept::Kept::name);
        let text = format!(
            "{name}: {} on this device for the relay.",
            format::count(unfinished.pending, "sample waits", "samples wait")
        );
        view! {
            <li class="notice" data-testid="unfinished">
                <p>{text}</p>
                {known.is_some().then(|| view! { <Link to=Route::Session(session) class="button">"Continue"</Link> })}
                <button on:click=move |_| send(unfinished.clone())>"Send them now"</button>
            </li>
        }
    };
    view! {
        <ul class="unfinished" hidden=move || waiting.with(Vec::is_empty) && said.get().is_none()>
            {move || waiting.get().into_iter().map(row).collect_view()}
            <li role="status" class="hint">{move || said.get()}</li>
        </ul>
    }
}
