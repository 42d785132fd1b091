//! The watching page as it is shown.

use std::time::Duration;

use leptos::prelude::*;
use mien_engine::Behind;
use mien_shared::{SessionId, SourceName};

use super::source::SourceCard;
use super::state::{Phase, State};
use crate::browser::time_of_day;
use crate::components::{Brand, KeysDialog, Link, help_key, obstacle, text};
use crate::model::{format, route::Route};

/// What is over sooner is not worth a notice, which would make the page jump.
const PATIENCE: Duration = Duration::from_millis(300);

#[component]
pub(super) fn WatchView(state: State, session: SessionId) -> impl IntoView {
    let keys_open = RwSignal::new(false);
    help_key(move || keys_open.set(true));
    let title = move || {
        Some(state.title.get())
            .filter(|title| !title.trim().is_empty())
            .unwrap_or_else(|| "Shared session".to_owned())
    };
    let last_seq = move || {
        state.sources.with(|sources| sources.values().map(|seen| seen.last_seq.get()).max().unwrap_or(0))
    };
    let cameras = move || {
        if !state.phase.with(Phase::is_connected) {
            return String::new();
        }
        let connected = state.connected.with(Vec::len) as u64;
        format!(
            "{} · {}",
            format::count(connected, "source connected", "sources connected"),
            format::count(state.watchers.get(), "watcher", "watchers")
        )
    };
    let names = Memo::new(move |_| state.sources.with(|sources| sources.keys().cloned().collect::<Vec<_>>()));
    view! {
        <main class="watch" data-testid="watch" data-session=session.to_string()>
            <header class="top">
                <Brand />
                <h1 tabindex="-1" translate="no" prop:textContent=text(title)></h1>
                <LinkState state=state />
                <span class="spacer"></span>
                <span class="hint" translate="no" lang="en" data-testid="presence"
                    data-sources=move || state.connected.with(Vec::len).to_string()
                    data-watchers=move || state.watchers.get().to_string() prop:textContent=text(cameras)></span>
                <button class="help quiet" on:click=move |_| keys_open.set(true)>"Keys"<kbd>"?"</kbd></button>
            </header>
            <div class="notices"><Notice state=state /></div>
            <Show
                when=move || names.with(|names| !names.is_empty())
                fallback=move || view! { <Empty state=state /> }
            >
                <div class="sources">
                    <For each=move || names.get() key=SourceName::clone children=move |name| {
                        state.sources.with_untracked(|sources| sources.get(&name).copied()).map(|seen| view! {
                            <SourceCard name=name seen=seen state=state />
                        })
                    } />
                </div>
            </Show>
            <p class="hint">
                "Numbers only; no picture leaves the recording device. "
                <span translate="no" lang="en" data-testid="watch-count" data-count=move || state.samples.get().to_string()
                    prop:textContent=text(move || format::count(state.samples.get(), "sample", "samples"))></span>
                " received, the newest is number "
                <span translate="no" data-testid="watch-lastseq" prop:textContent=text(move || last_seq().to_string())></span>
            </p>
        </main>
        <KeysDialog open=keys_open acts=false />
    }
}

/// How the line is, in two words, and how far behind.
#[component]
fn LinkState(state: State) -> impl IntoView {
    let words = Memo::new(move |_| match state.phase.get() {
        Phase::Connecting => ("connecting", "Connecting"),
        Phase::CatchingUp(_) if state.completed.get() => ("catching-up", "Loading"),
        Phase::CatchingUp(_) => ("catching-up", "Catching up"),
        Phase::Live => ("live", "Live"),
        Phase::Quiet if state.connected.with(Vec::is_empty) => ("quiet", "No source is connected"),
        Phase::Quiet => ("quiet", "No new samples"),
        Phase::Offline { .. } => state.trouble.get().map_or(("offline", "Offline"), |trouble| {
            let (name, words, _) = obstacle(trouble).words();
            (name, words)
        }),
        Phase::Over | Phase::Fault(_) => ("ended", "The session has ended"),
    });
    // Beside the words and not among them: who listens would hear every second of it.
    let figure = Memo::new(move |_| match state.phase.get() {
        Phase::CatchingUp(Some(Behind { ms, .. })) if !state.completed.get() => {
            format!(", {} behind", format::about(ms))
        }
        Phase::Offline { since } => format!(" since {}", time_of_day(since)),
        _ => String::new(),
    });
    view! {
        <span class="link" data-testid="link-state" data-state=move || words.get().0>
            <span>
                <span role="status" prop:textContent=text(move || words.get().1)></span>
                <span aria-hidden="true" translate="no" lang="en" data-testid="watch-behind" prop:textContent=figure></span>
            </span>
        </span>
    }
}

/// What a delay, an interruption or the end means for what is shown, and the way on.
#[component]
fn Notice(state: State) -> impl IntoView {
    let kind = Memo::new(move |_| std::mem::discriminant(&state.phase.get()));
    let behind = Memo::new(move |_| matches!(state.phase.get(), Phase::CatchingUp(_)));
    let lasting = RwSignal::new(false);
    Effect::new(move |_| {
        if !behind.get() {
            lasting.set(false);
            return;
        }
        let timer = set_timeout_with_handle(
            move || {
                lasting.try_set(true);
            },
            PATIENCE,
        )
        .ok();
        on_cleanup(move || timer.iter().for_each(TimeoutHandle::clear));
    });
    move || {
        // Not `track`: a memo that is tracked alone is never computed, and so never changes (reactive_graph 0.2.16).
        kind.get();
        match state.phase.get_untracked() {
            Phase::CatchingUp(_) if lasting.get() => {
                view! { <CatchingUp state=state /> }.into_any()
            }
            Phase::Offline { since } => view! {
                <div class="notice warn" role="status" data-testid="watch-offline">
                    <p prop:textContent=text(move || match state.trouble.get() {
                        Some(trouble) => obstacle(trouble).to_watchers(),
                        None => format!(
                            "The connection to the relay was lost at {}. Mien keeps trying; what is recorded meanwhile will arrive once it is back. Nothing is lost.",
                            time_of_day(since),
                        ),
                    })></p>
                    <button on:click=move |_| state.hurry()>"Try now"</button>
                </div>
            }
            .into_any(),
            Phase::Over => view! {
                <div class="notice" role="status" data-testid="watch-over">
                    <p prop:textContent="The session has ended. What it showed stays here until you leave the page."></p>
                    <Link to=Route::Home class="button">"To the first page"</Link>
                </div>
            }
            .into_any(),
            _ => ().into_any(),
        }
    }
}

/// How far it is to what is now.
#[component]
fn CatchingUp(state: State) -> impl IntoView {
    let behind = Memo::new(move |_| match state.phase.get() {
        Phase::CatchingUp(behind) => behind,
        _ => None,
    });
    let words = move || {
        if state.completed.get() {
            "The session is over; what it showed last is being loaded."
        } else {
            "You are seeing samples recorded earlier. The view catches up on its own; nothing is left out."
        }
    };
    let bar = move || match behind.get() {
        Some(Behind { ms, most_ms }) => view! {
            <progress aria-label="Caught up" max=most_ms.max(1).to_string()
                value=most_ms.saturating_sub(ms).to_string()></progress>
        }
        .into_any(),
        None => view! { <progress aria-label="Caught up"></progress> }.into_any(),
    };
    view! {
        <div class="notice catching-up" data-testid="watch-catching-up">
            <p prop:textContent=text(words)></p>
            {bar}
        </div>
    }
}

/// In place of the sources while there are none.
#[component]
fn Empty(state: State) -> impl IntoView {
    let kind = Memo::new(move |_| std::mem::discriminant(&state.phase.get()));
    let words = move || {
        kind.get();
        match state.phase.get_untracked() {
            Phase::Connecting => view! {
                <p prop:textContent="Connecting to the relay that has the session"></p>
                <progress aria-label="Connecting"></progress>
            }
            .into_any(),
            Phase::CatchingUp(_) | Phase::Live | Phase::Quiet => view! {
                <p prop:textContent="Nothing has been recorded yet. The numbers appear here as soon as a camera runs."></p>
            }
            .into_any(),
            // What to do stands in the notice above.
            Phase::Over => view! { <p prop:textContent="Nothing was recorded."></p> }.into_any(),
            Phase::Offline { .. } | Phase::Fault(_) => {
                view! { <p prop:textContent="Nothing has come so far."></p> }.into_any()
            }
        }
    };
    view! { <div class="empty" role="status">{words}</div> }
}
