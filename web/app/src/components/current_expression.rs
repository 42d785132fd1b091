//! The main face's expression in words, large enough to read from a distance.

use leptos::prelude::*;
use mien_shared::Face;

use super::text::text;
use crate::model::{expression, face, format};

#[component]
pub(crate) fn CurrentExpression(
    #[prop(into)] face: Signal<Option<Face>>,
    /// Whether anything is being analysed.
    #[prop(into)]
    is_active: Signal<bool>,
    /// What a screen reader hears, at a pace it can follow.
    #[prop(into)]
    announced: Signal<&'static str>,
    /// For automation: `expression` on the recording device, `watch-expression` for watchers.
    testid: &'static str,
) -> impl IntoView {
    let shown = Memo::new(move |_| face.with(|face| face.as_ref().map(|face| face.expression)));
    let name = move || {
        shown.get().map_or("none", |expression| expression.map_or("unsure", |expression| expression.name()))
    };
    let words = move || {
        let nobody = if is_active.get() { "nobody in view" } else { "no picture yet" };
        format::capitalized(shown.get().map_or(nobody, expression::looks))
    };
    let confidence = move || {
        face.with(|shown| match shown {
            Some(shown) if shown.expression.is_some() => {
                format!("{} confident", format::percent(face::confidence(shown)))
            }
            Some(shown) => {
                let (likeliest, score) = shown.scores.top();
                format!(
                    "Most likely: {}, {}",
                    expression::label(likeliest).to_lowercase(),
                    format::percent(score)
                )
            }
            None if is_active.get() => "Waiting for a face".to_owned(),
            // The line stays, so that nothing moves when there is something to say.
            None => "\u{a0}".to_owned(),
        })
    };
    view! {
        <div class="now" data-tone=name>
            <p class="words" translate="no" lang="en" data-testid=testid data-expression=name prop:textContent=text(words)></p>
            <p class="confidence" translate="no" lang="en" prop:textContent=text(confidence)></p>
            <p class="visually-hidden" translate="no" lang="en" aria-live="polite"
                prop:textContent=text(move || announced.get())></p>
        </div>
    }
}
