//! How well the face can be judged, and what stands in the way.

use leptos::prelude::*;
use mien_engine::Doubt;
use mien_shared::Face;

use super::text::text;
use crate::model::{face, format, reason};

#[component]
pub(crate) fn Quality(
    #[prop(into)] face: Signal<Option<Face>>,
    /// What makes it hard to judge, at a pace at which it can be read and heard.
    #[prop(into)]
    reason: Signal<Option<Doubt>>,
) -> impl IntoView {
    let reason = Memo::new(move |_| reason.get());
    let quality = Memo::new(move |_| {
        face.with(|face| {
            face.as_ref().and_then(|face| face.quality).map(|quality| (quality * 100.0).round() / 100.0)
        })
    });
    let hint = move || match (face.with(Option::is_some), reason.get(), quality.get()) {
        (true, Some(doubt), _) => reason::advice(doubt),
        (_, _, Some(quality)) => face::quality_hint(quality),
        (true, _, None) => "Quality unknown",
        (false, _, None) => "No face to judge",
    };
    let value = move || quality.get().map_or_else(|| "–".to_owned(), format::percent);
    view! {
        <div class="quality">
            <div class="line">
                <span>"Quality"</span>
                <span class="track" aria-hidden="true">
                    <i style=("--share", move || quality.get().unwrap_or(0.0).to_string())></i>
                </span>
                <span class="value" translate="no" prop:textContent=value></span>
            </div>
            <p class="hint" data-testid="quality-hint" prop:textContent=text(hint)></p>
            <p class="visually-hidden" aria-live="polite"
                prop:textContent=text(move || reason.get().map_or("", reason::advice))></p>
        </div>
    }
}
