//! Before the camera opens for a session that this tab has not agreed to yet.

use leptos::prelude::*;

use crate::components::{Brand, ConsentSteps, Link, NeutralOffer};
use crate::model::route::Route;
use crate::pages::session::recording::{Recording, finish, lookup};
use crate::saved;

#[component]
pub(crate) fn Consent(recording: Recording) -> impl IntoView {
    let neutral_first = RwSignal::new(saved::wants_neutral());
    view! {
        <main class="sheet">
            <section class="card" data-testid="consent">
                <Brand />
                <h1 tabindex="-1">
                    "Continue “"<span translate="no" prop:textContent=recording.name()></span>"”"
                </h1>
                <ConsentSteps />
                <NeutralOffer chosen=neutral_first />
                <div class="row">
                    <button class="primary" data-testid="consent-allow"
                        on:click=move |_| lookup::agree(recording, neutral_first.get_untracked())>
                        "Allow the camera"
                    </button>
                    <button on:click=move |_| finish::stop(recording)>"End this session"</button>
                    <Link to=Route::Home class="button quiet">"Not now"</Link>
                </div>
            </section>
        </main>
    }
}
