//! A fault as a card: what happened, what is safe, and the way on.

use leptos::ev::Event;
use leptos::html::Input;
use leptos::prelude::*;
use mien_engine::PickedFile;

use super::icon::Brand;
use super::text::text;
use crate::browser;
use crate::fault::{Fault, WayOn};
use crate::model::route::Route;
use crate::router::Router;

/// A button that picks a picture or a video from this device.
#[component]
pub(crate) fn FilePick(
    on_pick: Callback<PickedFile, ()>,
    #[prop(default = "Open a picture or video")] label: &'static str,
    #[prop(default = "button")] class: &'static str,
    #[prop(default = "image/*,video/*")] accept: &'static str,
) -> impl IntoView {
    let field = NodeRef::<Input>::new();
    let picked = move |_: Event| {
        let Some(field) = field.get_untracked() else { return };
        let file = field.files().and_then(|files| files.get(0));
        // So that the same file can be picked again.
        field.set_value("");
        if let Some(file) = file {
            on_pick.run(PickedFile::from(file));
        }
    };
    let open = move |_| {
        if let Some(field) = field.get_untracked() {
            field.click();
        }
    };
    view! {
        <button type="button" class=class on:click=open prop:textContent=label></button>
        <input type="file" hidden accept=accept node_ref=field on:change=picked data-testid="open-file" aria-label=label />
    }
}

#[component]
pub(crate) fn FaultCard(
    fault: Fault,
    on_retry: Callback<()>,
    /// Where a picked file goes; absent where a file makes no sense.
    #[prop(optional_no_strip, into)]
    on_pick: Option<Callback<PickedFile>>,
    /// What waits to be sent meanwhile. It comes before the way on, which may be a reload.
    #[prop(optional, into)]
    waiting: Signal<Option<String>>,
    /// What to do with that.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let router = expect_context::<Router>();
    let way_on = fault.way_on;
    let label = match way_on {
        WayOn::Retry(label) => label,
        WayOn::Reload => "Reload the page",
        WayOn::Home | WayOn::File => "Back to the first page",
    };
    let act = move |_| match way_on {
        WayOn::Retry(_) => on_retry.run(()),
        WayOn::Reload => browser::reload(),
        WayOn::Home | WayOn::File => router.go(Route::Home),
    };
    let first_is_file = way_on == WayOn::File && on_pick.is_some();
    let pick = on_pick.filter(|_| first_is_file || fault.other_source);
    view! {
        <main class="sheet">
            <section class="card" role="alert" data-testid="fault" data-fault=fault.kind>
                <Brand />
                <h1 tabindex="-1" prop:textContent=fault.title></h1>
                <p prop:textContent=fault.text></p>
                <p hidden=move || waiting.with(Option::is_none) translate="no" lang="en" data-testid="fault-waiting"
                    prop:textContent=text(move || waiting.get().unwrap_or_default())></p>
                {children.map(|children| children())}
                <div class="row">
                    {first_is_file.then_some(pick).flatten().map(|on_pick| view! {
                        <FilePick on_pick=on_pick label="Choose another file" class="primary" />
                    })}
                    <button class=if first_is_file { "" } else { "primary" } on:click=act prop:textContent=label></button>
                    {(!first_is_file).then_some(pick).flatten().map(|on_pick| view! {
                        <FilePick on_pick=on_pick label="Use a video file" accept="video/*" />
                    })}
                    {fault.other_source.then(|| view! {
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
