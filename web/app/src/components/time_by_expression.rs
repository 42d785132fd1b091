//! How long faces showed each expression.

use leptos::prelude::*;
use mien_shared::Expression;
use mien_shared::api::TimeByExpression;

use crate::model::{expression, format};

#[component]
pub(crate) fn TimeByExpressionList(time: TimeByExpression) -> impl IntoView {
    let all =
        [time.neutral, time.happiness, time.sadness, time.anger, time.fear, time.disgust, time.surprise];
    let total = (all.iter().sum::<u64>() + time.unsure).max(1);
    let row = move |tone: &'static str, label: &'static str, ms: u64| {
        let share = ms as f32 / total as f32;
        view! {
            <li data-tone=tone>
                <span class="label"><span class="swatch"></span>{label}</span>
                <span class="track" aria-hidden="true"><i style=("--share", share.to_string())></i></span>
                <span class="number" translate="no" prop:textContent=format::duration(ms)></span>
            </li>
        }
    };
    view! {
        <ul class="summary" aria-label="Time by expression, in minutes and seconds">
            {Expression::ALL.into_iter().map(|e| row(e.name(), expression::label(e), all[e.index()])).collect_view()}
            {row("unsure", "Unsure", time.unsure)}
        </ul>
    }
}
