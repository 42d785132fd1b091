//! What a person agrees to before the camera opens.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};

#[component]
pub(crate) fn ConsentSteps() -> impl IntoView {
    let steps = [
        (
            Glyph::Camera,
            "The camera opens and its pictures are analysed on this device.",
            "Faces are found and their expressions are read, picture by picture; each picture is then discarded.",
        ),
        (
            Glyph::Numbers,
            "Only numbers leave this browser.",
            "Where a face is, seven scores and the time. They are stored with this session, for the people who run it and for anyone who has its link.",
        ),
        (
            Glyph::Hand,
            "You can stop at any time.",
            "Stop switches the camera off at once. Afterwards the whole session can be erased.",
        ),
    ];
    view! {
        <ul class="steps">
            {steps.into_iter().map(|(glyph, what, more)| view! {
                <li>
                    <Icon glyph=glyph />
                    <p><strong>{what}</strong>" "<span>{more}</span></p>
                </li>
            }).collect_view()}
        </ul>
        <p class="hint">
            "An expression is what a face shows, not what a person feels. It must not be used to decide about anyone."
        </p>
    }
}
