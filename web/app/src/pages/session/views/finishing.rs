//! After the stop, while the last samples are being sent.

use leptos::prelude::*;

use crate::components::{Brand, text};
use crate::pages::session::recording::Recording;

#[component]
pub(crate) fn Finishing(recording: Recording) -> impl IntoView {
    let words = move || match recording.pending() {
        0 => "Closing the session.".to_owned(),
        _ => recording.unsent_text().unwrap_or_default(),
    };
    view! {
        <main class="sheet">
            <section class="card" role="status" data-testid="finishing">
                <Brand />
                <h1 tabindex="-1" prop:textContent=recording.stopped_text()></h1>
                <p translate="no" lang="en" prop:textContent=text(words)></p>
                <progress aria-label="Sending the last samples"></progress>
            </section>
        </main>
    }
}
