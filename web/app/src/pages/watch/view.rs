//! The view of a watching page.

use leptos::prelude::*;
use mien_engine::Behind;
use mien_shared::{SessionId, SourceName};

use super::notice::{Empty, Notice};
use super::phase::Phase;
use super::source::SourceCard;
use super::state::State;
use crate::browser::time_of_day;
use crate::components::{Brand, KeysDialog, help_key, text};
use crate::model::{format, trouble};

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
        state.sources.with(|sources| sources.values().map(|source| source.last_seq.get()).max().unwrap_or(0))
    };
    let presence = move || {
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
                    data-watchers=move || state.watchers.get().to_string() prop:textContent=text(presence)></span>
                <button class="help quiet" on:click=move |_| keys_open.set(true)>"Keys"<kbd>"?"</kbd></button>
            </header>
            <div class="notices"><Notice state=state /></div>
            <Show
                when=move || names.with(|names| !names.is_empty())
                fallback=move || view! { <Empty state=state /> }
            >
                <div class="sources">
                    <For each=move || names.get() key=SourceName::clone children=move |name| {
                        state.sources.with_untracked(|sources| sources.get(&name).copied()).map(|source| view! {
                            <SourceCard name=name source=source state=state />
                        })
                    } />
                </div>
            </Show>
            <p class="hint">
                "Numbers only; no picture leaves the recording device. "
                <span translate="no" lang="en" data-testid="watch-count" data-count=move || state.sample_count.get().to_string()
                    prop:textContent=text(move || format::count(state.sample_count.get(), "sample", "samples"))></span>
                " received, the newest is number "
                <span translate="no" data-testid="watch-lastseq" prop:textContent=text(move || last_seq().to_string())></span>
            </p>
        </main>
        <KeysDialog open=keys_open has_controls=false />
    }
}

/// The state of the link in two words, and how far behind it is.
#[component]
fn LinkState(state: State) -> impl IntoView {
    let words = Memo::new(move |_| match state.phase.get() {
        Phase::Connecting => ("connecting", "Connecting"),
        Phase::CatchingUp(_) if state.is_completed.get() => ("catching-up", "Loading"),
        Phase::CatchingUp(_) => ("catching-up", "Catching up"),
        Phase::Live => ("live", "Live"),
        Phase::Quiet if state.connected.with(Vec::is_empty) => ("quiet", "No source is connected"),
        Phase::Quiet => ("quiet", "No new samples"),
        Phase::Offline { .. } => state.trouble.get().map_or(("offline", "Offline"), |trouble| {
            let text = trouble::text(trouble);
            (text.name, text.text)
        }),
        Phase::Completed | Phase::Fault(_) => ("ended", "The session has ended"),
    });
    // Not part of the text: a screen reader would announce it every second.
    let figure = Memo::new(move |_| match state.phase.get() {
        Phase::CatchingUp(Some(Behind { ms, .. })) if !state.is_completed.get() => {
            format!(", {} behind", format::about(ms))
        }
        Phase::Offline { since_ms } => format!(" since {}", time_of_day(since_ms)),
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
