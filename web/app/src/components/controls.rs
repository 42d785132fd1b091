//! Pause, mark, neutral face, share, keys: within reach of the thumb on a phone.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};
use super::text::text;

#[component]
pub(crate) fn Controls(
    #[prop(into)] paused: Signal<bool>,
    on_pause: Callback<()>,
    on_mark: Callback<()>,
    on_neutral: Callback<()>,
    /// Absent where there is nothing to share.
    #[prop(optional_no_strip, into)]
    on_share: Option<Callback<()>>,
    on_keys: Callback<()>,
) -> impl IntoView {
    view! {
        <div class="controls" role="group" aria-label="Controls">
            <button data-testid="pause" aria-pressed=move || paused.get().to_string() on:click=move |_| on_pause.run(())>
                {move || view! { <Icon glyph=if paused.get() { Glyph::Play } else { Glyph::Pause } /> }}
                <span prop:textContent=text(move || if paused.get() { "Resume" } else { "Pause" })></span>
                <kbd>"Space"</kbd>
            </button>
            <button data-testid="mark" on:click=move |_| on_mark.run(())>
                <Icon glyph=Glyph::Flag />"Mark"<kbd>"M"</kbd>
            </button>
            <button data-testid="neutral-open" on:click=move |_| on_neutral.run(())>
                <Icon glyph=Glyph::Face />"Neutral face"<kbd>"N"</kbd>
            </button>
            {on_share.map(|on_share| view! {
                <button data-testid="share" on:click=move |_| on_share.run(())>
                    <Icon glyph=Glyph::Share />"Share"
                </button>
            })}
            <button class="help" on:click=move |_| on_keys.run(())>
                <Icon glyph=Glyph::Keyboard />"Keys"<kbd>"?"</kbd>
            </button>
        </div>
    }
}
