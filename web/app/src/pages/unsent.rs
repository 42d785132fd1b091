//! Ways on for samples that the relay does not take: save them as a file, or discard them for good.

use std::future::Future;

use leptos::prelude::*;
use mien_shared::SessionId;
use mien_shared::api::StoredSample;

use super::scope::Scope;
use crate::browser;
use crate::components::text;
use crate::model::format;

/// A line a sample, as in the relay's own export.
fn ndjson(samples: &[StoredSample]) -> Option<Vec<u8>> {
    let mut lines = Vec::new();
    for sample in samples {
        serde_json::to_writer(&mut lines, sample).ok()?;
        lines.push(b'\n');
    }
    Some(lines)
}

/// Nothing is taken away by saving.
#[component]
pub(crate) fn SaveUnsent<S, F>(session: SessionId, samples: S) -> impl IntoView
where
    S: Fn() -> F + Clone + 'static,
    F: Future<Output = Vec<StoredSample>> + 'static,
{
    let scope = Scope::here();
    let said = RwSignal::new(String::new());
    let save = move |_| {
        let samples = samples();
        scope.spawn(async move {
            let samples = samples.await;
            let name = format!("mien-unsent-{session}.ndjson");
            let saved = ndjson(&samples)
                .is_some_and(|lines| browser::download(&name, "application/x-ndjson", &lines));
            said.set(if samples.is_empty() {
                "Nothing is left to save.".to_owned()
            } else if saved {
                let count = format::count(samples.len() as u64, "sample", "samples");
                format!("Saved {count} as {name}. They stay in this browser, too.")
            } else {
                "The browser did not allow the file to be saved.".to_owned()
            });
        });
    };
    view! {
        <button data-testid="save-unsent" on:click=save>"Save unsent samples"</button>
        <p role="status" class="hint said" translate="no" lang="en" hidden=move || said.with(String::is_empty)
            data-testid="save-unsent-said" prop:textContent=text(move || said.get())></p>
    }
}

/// Two clicks, since there is no way back.
#[component]
pub(crate) fn DiscardUnsent(on_discard: Callback<()>) -> impl IntoView {
    let armed = RwSignal::new(false);
    view! {
        <Show
            when=move || armed.get()
            fallback=move || view! { <button data-testid="discard" on:click=move |_| armed.set(true)>"Discard them"</button> }
        >
            <p>"They will be lost for good, and this browser will forget the recording."</p>
            <button class="stop" data-testid="discard-confirm" on:click=move |_| on_discard.run(())>"Discard for good"</button>
            <button class="quiet" on:click=move |_| armed.set(false)>"Keep"</button>
        </Show>
    }
}
