//! An action that takes two clicks, since it cannot be undone.

use leptos::prelude::*;

#[component]
pub(crate) fn Confirm(
    testid: &'static str,
    confirm_testid: &'static str,
    label: &'static str,
    /// Shown between the clicks.
    warning: &'static str,
    confirm_label: &'static str,
    on_confirm: Callback<()>,
) -> impl IntoView {
    let is_armed = RwSignal::new(false);
    view! {
        <Show
            when=move || is_armed.get()
            fallback=move || view! {
                <button data-testid=testid on:click=move |_| is_armed.set(true) prop:textContent=label></button>
            }
        >
            <p prop:textContent=warning></p>
            <button class="stop" data-testid=confirm_testid on:click=move |_| on_confirm.run(())
                prop:textContent=confirm_label></button>
            <button class="quiet" on:click=move |_| is_armed.set(false)>"Cancel"</button>
        </Show>
    }
}
