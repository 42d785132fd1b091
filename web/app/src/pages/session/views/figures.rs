//! What the relay has of a session, in figures.

use leptos::prelude::*;
use mien_shared::SourceName;
use mien_shared::api::{SourceSummary, Summary};

use crate::components::TimeByExpressionList;
use crate::model::length::parts;
use crate::model::{expression, format};

/// The length is that of this device's source, and made up of what was analysed and what was not.
#[component]
pub(crate) fn Figures(summary: Summary) -> impl IntoView {
    let Summary { sources, stored, time_by_expression_ms, .. } = summary;
    let own = sources.iter().find(|source| source.source == SourceName::default());
    let span = own.and_then(|source| source.first_at.zip(source.last_at));
    let length = span.map_or(0, |(first, last)| last.saturating_sub(first));
    // A relay up to 0.1 lists them all, and does not say how many.
    let gaps = |source: &SourceSummary| source.gaps_total.max(source.gaps.len() as u64);
    let gaps: u64 = sources.iter().map(gaps).sum();
    let skipped = own.map(|source| source.skipped_ms.clone()).unwrap_or_default();
    let parts = parts(length, &skipped).into_iter().map(|part| {
        let (name, label) = match part.skipped {
            Some(reason) => (reason.name(), expression::skip_reason(reason)),
            None => ("analysed", "Analysed"),
        };
        view! { <div><dt prop:textContent=label></dt>
        <dd data-part=name data-ms=part.ms.to_string() translate="no" prop:textContent=part.text></dd></div> }
    });
    view! {
        <dl class="figures" data-testid="summary">
            <div><dt>"Samples"</dt><dd data-testid="stored" data-count=stored.to_string()
                translate="no" prop:textContent=format::grouped(stored)></dd></div>
            <div><dt>"Length"</dt><dd data-testid="length" data-ms=length.to_string()
                translate="no" prop:textContent=format::duration(length)></dd></div>
            <div><dt>"Gaps"</dt><dd translate="no" prop:textContent=gaps.to_string()></dd></div>
        </dl>
        {(!skipped.is_empty()).then(|| view! {
            <h2>"What makes up the length"</h2>
            <dl class="figures" data-testid="parts">{parts.collect_view()}</dl>
        })}
        <h2>"Time by expression"</h2>
        <TimeByExpressionList time=time_by_expression_ms />
    }
}
