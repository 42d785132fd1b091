//! The main face's expression in words, large enough to be read from a distance.

use leptos::prelude::*;
use mien_shared::Face;

use super::text::text;
use crate::model::{face::confidence, format, words};

#[component]
pub(crate) fn Now(
    #[prop(into)] face: Signal<Option<Face>>,
    /// Whether anything has been looked at yet.
    #[prop(into)]
    begun: Signal<bool>,
    /// What a screen reader hears, at a pace it can follow.
    #[prop(into)]
    spoken: Signal<&'static str>,
    /// The hook for automation: `expression` on the recording device, `watch-expression` for watchers.
    testid: &'static str,
) -> impl IntoView {
    let shown = Memo::new(move |_| face.with(|face| face.as_ref().map(|face| face.expression)));
    let name = move || shown.get().map_or("none", |expression| expression.map_or("unsure", |e| e.name()));
    let said = move || {
        let nobody = if begun.get() { "nobody in view" } else { "no picture yet" };
        let words = shown.get().map_or(nobody, words::looks);
        let mut letters = words.chars();
        letters
            .next()
            .map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
    };
    let sure = move || {
        face.with(|face| match face {
            Some(face) if face.expression.is_some() => {
                format!("{} confident", format::percent(confidence(face)))
            }
            Some(face) => {
                let (likeliest, score) = face.scores.top();
                format!("Likeliest: {}, {}", words::noun(likeliest).to_lowercase(), format::percent(score))
            }
            None if begun.get() => "Waiting for a face".to_owned(),
            // The line stays, so that nothing moves when there is something to say.
            None => "\u{a0}".to_owned(),
        })
    };
    view! {
        <div class="now" data-tone=name>
            <p class="words" translate="no" lang="en" data-testid=testid data-expression=name prop:textContent=text(said)></p>
            <p class="sure" translate="no" lang="en" prop:textContent=text(sure)></p>
            <p class="visually-hidden" translate="no" lang="en" aria-live="polite"
                prop:textContent=text(move || spoken.get())></p>
        </div>
    }
}
