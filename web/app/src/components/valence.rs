//! How pleasant the shown expression is.

use leptos::prelude::*;
use mien_shared::Face;

use super::text::text;
use crate::model::{face, format};

/// A bar from the middle of a scale: to the right for pleasant, to the left for unpleasant.
#[component]
pub(crate) fn Valence(#[prop(into)] face: Signal<Option<Face>>) -> impl IntoView {
    let valence = Memo::new(move |_| {
        face.with(|face| face.as_ref().and_then(face::valence))
            .map(|valence| (valence * 100.0).round() / 100.0)
    });
    let value = move || valence.get().map_or_else(|| "–".to_owned(), format::signed);
    let sides = |valence: f32| (valence.max(0.0).to_string(), (-valence).max(0.0).to_string());
    view! {
        <div class="valence" data-testid="valence" data-value=move || valence.get().map(|valence| valence.to_string())
            title="How pleasant the shown expression is: from −1, unpleasant, to +1, pleasant">
            <span class="name">"Valence"</span>
            <span class="scale" aria-hidden="true">
                <i class="less" style=("--share", move || sides(valence.get().unwrap_or(0.0)).1)></i>
                <i class="more" style=("--share", move || sides(valence.get().unwrap_or(0.0)).0)></i>
            </span>
            <span class="value" translate="no" prop:textContent=text(value)></span>
            <span class="visually-hidden">", from −1, unpleasant, to +1, pleasant"</span>
        </div>
    }
}
