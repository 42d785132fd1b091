//! The seven expressions as bars.

use leptos::prelude::*;
use mien_shared::{Expression, Face};

use crate::model::{expression, face, format};

/// Every bar keeps its place; on a phone the three strongest are shown, in order of strength.
#[component]
pub(crate) fn Bars(#[prop(into)] face: Signal<Option<Face>>) -> impl IntoView {
    let ranks = Memo::new(move |_| face.with(|face| face.as_ref().map(|face| face::ranks(&face.scores))));
    let bar = move |expression: Expression| {
        let score = Memo::new(move |_| {
            face.with(|face| face.as_ref().map(|face| (face.scores.of(expression) * 100.0).round() / 100.0))
        });
        let rank = move || ranks.get().map_or(expression.index() as u8, |ranks| ranks[expression.index()]);
        view! {
            <li
                data-tone=expression.name()
                data-rank=move || rank().to_string()
                data-first=move || (score.get().is_some() && rank() == 0).to_string()
                style=("--rank", move || rank().to_string())
            >
                <span class="name">{expression::label(expression)}</span>
                <span class="track" aria-hidden="true">
                    <i style=("--share", move || score.get().unwrap_or(0.0).to_string())></i>
                </span>
                <span class="value" translate="no" prop:textContent=move || shown(score.get())></span>
            </li>
        }
    };
    view! {
        <ul class="bars" aria-label="Expressions of the face" data-testid="bars">
            {Expression::ALL.into_iter().map(bar).collect_view()}
        </ul>
    }
}

fn shown(share: Option<f32>) -> String {
    share.map_or_else(|| "–".to_owned(), format::percent)
}
