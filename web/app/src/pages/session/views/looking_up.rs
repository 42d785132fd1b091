//! While the relay is asked for a session.

use leptos::prelude::*;

use crate::components::Brand;
use crate::pages::session::recording::LOOKING_UP;

#[component]
pub(crate) fn LookingUp() -> impl IntoView {
    view! {
        <main class="sheet">
            <section class="card" role="status">
                <Brand />
                <p prop:textContent=LOOKING_UP></p>
                <progress aria-label=LOOKING_UP></progress>
            </section>
        </main>
    }
}
