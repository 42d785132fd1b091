//! What can be done with samples that the relay does not take: save them as a file, or discard them for good.

use std::future::Future;

use leptos::prelude::*;
use mien_shared::SessionId;
use mien_shared::api::StoredSample;

use super::confirm::Confirm;
use super::text::text;
use crate::browser;
use crate::model::format;
use crate::page_owner::PageOwner;

/// One line for each sample, as in the relay's own export.
fn ndjson(samples: &[StoredSample]) -> Option<Vec<u8>> {
    let mut lines = Vec::new();
    for sample in samples {
        serde_json::to_writer(&mut lines, sample).ok()?;
        lines.push(b'\n');
    }
    Some(lines)
}

/// Saving removes nothing.
#[component]
pub(crate) fn SaveUnsent<S, F>(session: SessionId, samples: S) -> impl IntoView
where
    S: Fn() -> F + Clone + 'static,
    F: Future<Output = Vec<StoredSample>> + 'static,
{
    let owner = PageOwner::current();
    let result = RwSignal::new(String::new());
    let save = move |_| {
        let samples = samples();
        owner.spawn(async move {
            let samples = samples.await;
            let name = format!("mien-unsent-{session}.ndjson");
            let saved = ndjson(&samples)
                .is_some_and(|lines| browser::download(&name, "application/x-ndjson", &lines));
            result.set(if samples.is_empty() {
                "There is nothing left to save.".to_owned()
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
        <p role="status" class="hint action-result" translate="no" lang="en" hidden=move || result.with(String::is_empty)
            data-testid="save-unsent-said" prop:textContent=text(move || result.get())></p>
    }
}

#[component]
pub(crate) fn DiscardUnsent(on_discard: Callback<()>) -> impl IntoView {
    view! {
        <Confirm testid="discard" confirm_testid="discard-confirm" label="Discard them"
            warning="They will be lost for good, and this browser will forget the recording."
            confirm_label="Discard for good" on_confirm=on_discard />
    }
}
