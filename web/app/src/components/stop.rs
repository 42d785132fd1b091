//! The stop button. Where it ends a recording, which cannot be taken back, it asks first.

use leptos::html::Dialog;
use leptos::prelude::*;

use super::icon::{Glyph, Icon};

/// It stands in the bar on top and comes last in the document: nobody should stop with the first press of Tab.
#[component]
pub(crate) fn StopButton(
    label: &'static str,
    /// Whether it asks first, and whether it is asking.
    asks: Option<RwSignal<bool>>,
    on_stop: Callback<()>,
) -> impl IntoView {
    let press = move |_| match asks {
        Some(is_asking) => is_asking.set(true),
        None => on_stop.run(()),
    };
    view! {
        <button class="stop" data-testid="stop" on:click=press>
            <Icon glyph=Glyph::Stop />{label}
        </button>
        {asks.map(|is_asking| view! { <StopDialog is_asking=is_asking on_stop=on_stop /> })}
    }
}

/// The recording goes on meanwhile.
#[component]
fn StopDialog(is_asking: RwSignal<bool>, on_stop: Callback<()>) -> impl IntoView {
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if is_asking.get() && !dialog.open() {
            // Throws only when it is not in the document, and an effect runs when it is.
            let _ = dialog.show_modal();
        } else if !is_asking.get() && dialog.open() {
            dialog.close();
        }
    });
    let stop = move |_| {
        is_asking.set(false);
        on_stop.run(());
    };
    view! {
        <dialog node_ref=dialog aria-labelledby="stop-title" aria-describedby="stop-text" data-testid="stop-dialog"
            on:close=move |_| { is_asking.try_set(false); }>
            <h2 id="stop-title">"Stop this recording?"</h2>
            <p id="stop-text">"It ends for good. To go on later, pause it instead. Everything recorded so far stays stored."</p>
            <div class="row">
                <button class="primary" data-testid="stop-cancel" on:click=move |_| is_asking.set(false)>"Keep recording"</button>
                <button class="stop" data-testid="stop-confirm" on:click=stop>"Stop for good"</button>
            </div>
        </dialog>
    }
}
