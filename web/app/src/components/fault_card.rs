//! A fault as a card: what happened, what is safe, and what to do.

use leptos::prelude::*;
use mien_engine::PickedFile;

use super::file_pick::FilePick;
use super::icon::Brand;
use super::text::text;
use crate::browser;
use crate::fault::{Fault, Remedy};
use crate::model::route::Route;
use crate::router::Router;

#[component]
pub(crate) fn FaultCard(
    fault: Fault,
    on_retry: Callback<()>,
    /// Where a picked file goes; absent where a file makes no sense.
    #[prop(optional_no_strip, into)]
    on_pick: Option<Callback<PickedFile>>,
    /// What waits to be sent meanwhile. It comes before the button, which may reload the page.
    #[prop(optional, into)]
    unsent: Signal<Option<String>>,
    /// What can be done with that.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let router = expect_context::<Router>();
    let remedy = fault.remedy;
    let label = match remedy {
        Remedy::Retry(label) => label,
        Remedy::Reload => "Reload the page",
        Remedy::Home | Remedy::OtherFile => "Back to the home page",
    };
    let act = move |_| match remedy {
        Remedy::Retry(_) => on_retry.run(()),
        Remedy::Reload => browser::reload(),
        Remedy::Home | Remedy::OtherFile => router.go(Route::Home),
    };
    let first_is_file = remedy == Remedy::OtherFile && on_pick.is_some();
    let pick = on_pick.filter(|_| first_is_file || fault.offers_other_source);
    view! {
        <main class="sheet">
            <section class="card" role="alert" data-testid="fault" data-fault=fault.kind.name()>
                <Brand />
                <h1 tabindex="-1" prop:textContent=fault.title></h1>
                <p prop:textContent=fault.text></p>
                <p hidden=move || unsent.with(Option::is_none) translate="no" lang="en" data-testid="fault-waiting"
                    prop:textContent=text(move || unsent.get().unwrap_or_default())></p>
                {children.map(|children| children())}
                <div class="row">
                    {first_is_file.then_some(pick).flatten().map(|on_pick| view! {
                        <FilePick on_pick=on_pick label="Choose another file" class="primary" />
                    })}
                    <button class=if first_is_file { "" } else { "primary" } on:click=act prop:textContent=label></button>
                    {(!first_is_file).then_some(pick).flatten().map(|on_pick| view! {
                        <FilePick on_pick=on_pick label="Use a video file" accept="video/*" />
                    })}
                    {fault.offers_other_source.then(|| view! {
                        <button on:click=move |_| router.go(Route::Demo)>"Try the demo"</button>
                    })}
                </div>
                {fault.detail.map(|detail| view! {
                    <details><summary>"For developers"</summary><p class="hint" translate="no" prop:textContent=detail></p></details>
                })}
            </section>
        </main>
    }
}
