//! The timeline's data as a table, for people who cannot see the chart well.

use leptos::prelude::*;

use crate::browser;
use crate::model::timeline::{Shown, Slice, Timeline};
use crate::model::{expression, format};

/// One row covers this long.
const ROW_MS: u64 = 5_000;
/// Ten minutes of rows.
const ROWS: usize = 120;

#[component]
pub(crate) fn TimelineTable(timeline: RwSignal<Timeline>) -> impl IntoView {
    // The newest row's begin changes every five seconds; rows are rebuilt then, not with each sample.
    let newest_row = Memo::new(move |_| timeline.with(|timeline| timeline.newest_ms() / ROW_MS));
    let rows = move || {
        newest_row.get();
        timeline.with_untracked(|timeline| {
            timeline
                .table(ROW_MS, ROWS)
                .into_iter()
                .map(|slice| (slice, markers(timeline, &slice)))
                .collect::<Vec<_>>()
        })
    };
    view! {
        <div class="table-view" tabindex="0" role="region" aria-label="Timeline as a table">
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Time"</th>
                        <th scope="col">"Expression"</th>
                        <th scope="col" class="number">"Mean"</th>
                        <th scope="col" class="number">"Unsure"</th>
                        <th scope="col" class="number">"Valence"</th>
                        <th scope="col">"Markers"</th>
                    </tr>
                </thead>
                <tbody translate="no" lang="en">
                    {move || rows().into_iter().map(|(slice, markers)| row(&slice, markers)).collect_view()}
                </tbody>
            </table>
        </div>
    }
}

fn row(slice: &Slice, markers: String) -> impl IntoView + use<> {
    let (name, mean, unsure) = match slice.shown {
        Shown::Gap => ("No data", String::new(), String::new()),
        Shown::Skipped(reason) => (expression::skip_reason(reason), String::new(), String::new()),
        Shown::Nobody => ("Nobody in view", String::new(), String::new()),
        Shown::Faces { unsure, .. } => match slice.shown.leading() {
            Some((expression, mean)) => {
                (expression::label(expression), format::percent(mean), format::percent(unsure))
            }
            None => ("Unsure", String::new(), format::percent(unsure)),
        },
    };
    let valence = slice.shown.valence().map(format::signed);
    view! {
        <tr>
            <td prop:textContent=browser::time_of_day(slice.at_ms)></td>
            <td prop:textContent=name></td>
            <td class="number" prop:textContent=mean></td>
            <td class="number" prop:textContent=unsure></td>
            <td class="number" prop:textContent=valence.unwrap_or_default()></td>
            <td prop:textContent=markers></td>
        </tr>
    }
}

fn markers(timeline: &Timeline, slice: &Slice) -> String {
    let within = slice.at_ms..slice.at_ms + slice.width_ms;
    let labels: Vec<_> = timeline
        .markers()
        .filter(|marker| within.contains(&marker.at_ms))
        .map(|marker| marker.label.as_str())
        .collect();
    labels.join(", ")
}
