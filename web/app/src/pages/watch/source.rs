//! One source: what it shows now, or showed last, and when.

use leptos::prelude::*;
use mien_engine::SourcePace;
use mien_shared::SourceName;

use super::earlier::Earlier;
use super::phase::Phase;
use super::source_state::{LastSample, Shown, WatchedSource};
use super::state::State;
use crate::browser::time_of_day;
use crate::components::{Bars, CurrentExpression, Quality, TimelinePlot, Valence};
use crate::model::timeline::Viewport;
use crate::model::{expression, format};

#[component]
pub(super) fn SourceCard(name: SourceName, source: WatchedSource, state: State) -> impl IntoView {
    let signals = source.signals;
    let label = name.to_string();
    let title = if name == SourceName::default() { "Main camera".to_owned() } else { label.clone() };
    let live = Memo::new(move |_| state.is_live(source));
    let connection = {
        let name = name.clone();
        Memo::new(move |_| connection(state, &name, source))
    };
    let viewport = RwSignal::new(Viewport::default());
    // What is no longer current is not shown as if it were.
    let face = Signal::derive(move || if live.get() { signals.main_face.get() } else { None });
    let explained = signals.explained();
    let reason = Signal::derive(move || if live.get() { explained.get() } else { None });
    view! {
        <section class="source" data-source=label.clone() aria-label=title.clone()>
            <header>
                <h2 translate="no" prop:textContent=title.clone()></h2>
                <span translate="no" lang="en" data-testid="watch-standing" prop:textContent=connection></span>
            </header>
            <div class="pair">
                <div class="seen">
                    <Show when=move || live.get() fallback=move || view! { <Past state=state source=source /> }>
                        <CurrentExpression face=face is_active=signals.is_active announced=signals.announced
                            testid="watch-expression" />
                    </Show>
                    <Quality face=face reason=reason />
                </div>
                <div class="scores"><Bars face=face /><Valence face=face /></div>
            </div>
            <TimelinePlot timeline=signals.timeline live=live viewport=viewport />
            <Earlier name=name signals=signals state=state viewport=viewport />
        </section>
    }
}

/// Whether the source is connected, and since when not.
fn connection(state: State, name: &SourceName, source: WatchedSource) -> String {
    let last = || {
        source
            .last
            .get()
            .map_or_else(String::new, |last| format!(" · last sample at {}", time_of_day(last.at_ms)))
    };
    let phase = state.phase.get();
    if phase == Phase::Completed {
        return format!("Ended{}", last());
    }
    if !phase.is_connected() {
        return format!("Unknown while the relay is away{}", last());
    }
    if !state.connected.with(|connected| connected.contains(name)) {
        return format!("Not connected{}", last());
    }
    match source.pace.get() {
        SourcePace::Live => {
            format!(
                "Connected · {}",
                format::count(source.signals.faces.with(Vec::len) as u64, "face", "faces")
            )
        }
        SourcePace::CatchingUp => "Connected".to_owned(),
        SourcePace::Quiet => format!("Connected, sending nothing{}", last()),
    }
}

/// In place of the expression: what it was, in the past tense and with its time.
#[component]
fn Past(state: State, source: WatchedSource) -> impl IntoView {
    let is_behind = Memo::new(move |_| {
        state.phase.with(Phase::is_connected) && source.pace.get() == SourcePace::CatchingUp
    });
    let words = Memo::new(move |_| match source.last.get() {
        // What passes this quickly cannot be read.
        _ if is_behind.get() => "Catching up".to_owned(),
        Some(LastSample { shown: Shown::Face(shown), .. }) => format::capitalized(&expression::looked(shown)),
        Some(LastSample { shown: Shown::Nobody, .. }) => "Nobody in view".to_owned(),
        None => "No sample yet".to_owned(),
    });
    let when = Memo::new(move |_| match (source.last.get(), is_behind.get()) {
        (Some(LastSample { at_ms, .. }), true) => format!("So far up to {}", time_of_day(at_ms)),
        (Some(LastSample { at_ms, .. }), false) => format!("When last seen, at {}", time_of_day(at_ms)),
        (None, _) => "\u{a0}".to_owned(),
    });
    view! {
        <div class="now past" data-tone="none">
            <p class="words" translate="no" lang="en" data-testid="watch-past" prop:textContent=words></p>
            <p class="sure" translate="no" lang="en" prop:textContent=when></p>
        </div>
    }
}
