//! Picks a file of this device.

use leptos::ev::Event;
use leptos::html::Input;
use leptos::prelude::*;
use mien_engine::PickedFile;

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
