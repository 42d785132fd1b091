//! Before the camera opens for a session that this tab has not agreed to yet.

use leptos::prelude::*;

use crate::components::{Brand, ConsentSteps, Link};
use crate::model::route::Route;
use crate::pages::session::recording::{Recording, finish, lookup};

#[component]
pub(crate) fn Consent(recording: Recording) -> impl IntoView {
    view! {
        <main class="sheet">
            <section class="card" data-testid="consent">
                <Brand />
                <h1 tabindex="-1">
                    "Continue “"<span translate="no" prop:textContent=recording.name()></span>"”"
                </h1>
                <ConsentSteps />
                <div class="row">
                    <button class="primary" data-testid="consent-allow" on:click=move |_| lookup::agree(recording)>
                        "Allow the camera"
                    </button>
                    <button on:click=move |_| finish::stop(recording)>"End this session"</button>
                    <Link to=Route::Home class="button quiet">"Not now"</Link>
                </div>
            </section>
        </main>
    }
}
