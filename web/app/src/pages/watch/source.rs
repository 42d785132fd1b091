//! One source: what it shows now, or showed last, and when.

use leptos::prelude::*;
use mien_engine::SourcePace;
use mien_shared::SourceName;

use super::earlier::Earlier;
use super::state::{Last, Phase, Seen, Shown, State};
use crate::browser::time_of_day;
use crate::components::{Bars, Now, TimelinePlot};
use crate::model::view::View;
use crate::model::{format, words};

#[component]
pub(super) fn SourceCard(name: SourceName, seen: Seen, state: State) -> impl IntoView {
    let reading = seen.reading;
    let label = name.to_string();
    let title = if name == SourceName::default() { "Main camera".to_owned() } else { label.clone() };
    let live = Memo::new(move |_| state.is_live(seen));
    let standing = {
        let name = name.clone();
        Memo::new(move |_| standing(state, &name, seen))
    };
    let view = RwSignal::new(View::default());
    // What is no longer so is not shown as if it were.
    let face = Signal::derive(move || if live.get() { reading.main.get() } else { None });
    view! {
        <section class="source" data-source=label.clone() aria-label=title.clone()>
            <header>
                <h2 translate="no" prop:textContent=title.clone()></h2>
                <span translate="no" lang="en" data-testid="watch-standing" prop:textContent=standing></span>
            </header>
            <div class="pair">
                <Show when=move || live.get() fallback=move || view! { <Past state=state seen=seen /> }>
                    <Now face=face begun=reading.begun spoken=reading.spoken testid="watch-expression" />
                </Show>
                <Bars face=face />
            </div>
            <TimelinePlot timeline=reading.timeline live=live view=view />
            <Earlier name=name reading=reading state=state view=view />
        </section>
    }
}

/// Whether the source is there, and since when not.
fn standing(state: State, name: &SourceName, seen: Seen) -> String {
    let last = || {
        seen.last.get().map_or_else(String::new, |last| format!(" · last sample at {}", time_of_day(last.at)))
    };
    let phase = state.phase.get();
    if phase == Phase::Over {
        return format!("Ended{}", last());
    }
    if !phase.is_connected() {
        return format!("Not known without the relay{}", last());
    }
    if !state.connected.with(|connected| connected.contains(name)) {
        return format!("Not connected{}", last());
    }
    match seen.pace.get() {
        SourcePace::Live => {
            format!(
                "Connected · {}",
                format::count(seen.reading.faces.with(Vec::len) as u64, "face", "faces")
            )
        }
        SourcePace::CatchingUp => "Connected".to_owned(),
        SourcePace::Quiet => format!("Connected, sends nothing{}", last()),
    }
}

/// In place of the expression: what it was, in the past tense and with its time.
#[component]
fn Past(state: State, seen: Seen) -> impl IntoView {
    let behind = Memo::new(move |_| {
        state.phase.with(Phase::is_connected) && seen.pace.get() == SourcePace::CatchingUp
    });
    let said = Memo::new(move |_| match seen.last.get() {
        // What rushes by cannot be read.
        _ if behind.get() => "Catching up".to_owned(),
        Some(Last { shown: Shown::Face(expression), .. }) => capitalized(words::looked(expression)),
        Some(Last { shown: Shown::Nobody, .. }) => "Nobody in view".to_owned(),
        None => "No sample yet".to_owned(),
    });
    let when = Memo::new(move |_| match (seen.last.get(), behind.get()) {
        (Some(Last { at, .. }), true) => format!("So far up to {}", time_of_day(at)),
        (Some(Last { at, .. }), false) => format!("When last seen, at {}", time_of_day(at)),
        (None, _) => "\u{a0}".to_owned(),
    });
    view! {
        <div class="now past" data-tone="none">
            <p class="words" translate="no" lang="en" data-testid="watch-past" prop:textContent=said></p>
            <p class="sure" translate="no" lang="en" prop:textContent=when></p>
        </div>
    }
}

fn capitalized(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
