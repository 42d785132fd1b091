//! An address without a page.

use leptos::prelude::*;

use crate::components::{Brand, Link};
use crate::model::route::Route;

#[component]
pub(crate) fn Missing() -> impl IntoView {
    view! {
        <main class="sheet">
            <section class="card">
                <Brand />
                <h1 tabindex="-1">"There is nothing at this address"</h1>
                <p>"The link may be damaged. Nothing was lost."</p>
                <div class="row"><Link to=Route::Home class="button primary">"Go to the home page"</Link></div>
            </section>
        </main>
    }
}
