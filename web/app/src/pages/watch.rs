//! The live view behind a share link: numbers of every source, as the relay has stored them.

use std::collections::BTreeMap;

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use mien_engine::api::Relay;
use mien_engine::{Watch, WatchEvent, WatchState, page_origin, sockets_origin};
use mien_shared::api::Marker;
use mien_shared::problem::CloseCode;
use mien_shared::{Sample, SessionId, SessionStatus, SourceName};

use super::scope::Scope;
use crate::browser::{self, Step};
use crate::components::{Bars, Brand, FaultCard, KeysDialog, Link, Now, TimelinePlot, help_key, text};
use crate::fault::Fault;
use crate::focus;
use crate::kept;
use crate::model::timeline::Flag;
use crate::model::{format, route::Route};
use crate::reading::Reading;

/// Markers are asked for this often: the contract has no message for them, and a note may come late.
const MARKERS_MS: u32 = 15_000;

#[component]
pub(crate) fn WatchPage(session: SessionId) -> impl IntoView {
    match token(session) {
        Some(token) => view! { <Watching session=session token=token /> }.into_any(),
        None => view! { <FaultCard fault=Fault::bad_link() on_retry=Callback::new(|()| {}) /> }.into_any(),
    }
}

/// The token from the fragment, which then leaves the address bar and the history; after a reload, this tab's.
fn token(session: SessionId) -> Option<String> {
    let fragment = browser::fragment();
    if fragment.is_empty() {
        return kept::watch_token(session);
    }
    browser::show_address(&Route::Watch(session).path(), Step::Replace);
    kept::keep_watch_token(session, &fragment);
    Some(fragment)
}

#[derive(Clone, Debug, PartialEq)]
enum Phase {
    Connecting,
    Live,
    Offline,
    /// The session is completed; what it showed stays.
    Over,
    Fault(Fault),
}

/// One source of the session.
#[derive(Clone, Copy, Debug)]
struct Seen {
    reading: Reading,
    last_seq: RwSignal<u64>,
}

/// A handle; a copy is the same view.
#[derive(Clone, Copy)]
struct State {
    scope: Scope,
    phase: RwSignal<Phase>,
    title: RwSignal<String>,
    sources: RwSignal<BTreeMap<SourceName, Seen>>,
    connected: RwSignal<Vec<SourceName>>,
    watchers: RwSignal<u64>,
    samples: RwSignal<u64>,
    /// What the relay has of the recording's markers.
    markers: RwSignal<Vec<Marker>>,
    watch: StoredValue<Option<Watch>, LocalStorage>,
}

#[component]
fn Watching(session: SessionId, token: String) -> impl IntoView {
    let state = State {
        scope: Scope::here(),
        phase: RwSignal::new(Phase::Connecting),
        title: RwSignal::new(String::new()),
        sources: RwSignal::new(BTreeMap::new()),
        connected: RwSignal::new(Vec::new()),
        watchers: RwSignal::new(0),
        samples: RwSignal::new(0),
        markers: RwSignal::new(Vec::new()),
        watch: StoredValue::new_local(None),
    };
    state.scope.spawn(state.follow_markers(Relay::new(page_origin(), Some(token.clone())), session));
    let open = move || state.open(session, &token);
    open();
    let fault = Memo::new(move |_| match state.phase.get() {
        Phase::Fault(fault) => Some(fault),
        _ => None,
    });
    let retry = Callback::new(move |()| open());
    focus::follow(move || fault.get());
    move || match fault.get() {
        Some(fault) => view! { <FaultCard fault=fault on_retry=retry /> }.into_any(),
        None => view! { <WatchView state=state session=session on_connect=retry /> }.into_any(),
    }
}

impl State {
    fn open(self, session: SessionId, token: &str) {
        self.phase.set(Phase::Connecting);
        let relay = Relay::new(page_origin(), Some(token.to_owned()));
        self.scope.spawn(async move {
            // The title is a courtesy; without it the view is whole.
            if let Ok(session) = relay.session(session).await {
                self.title.set(session.title);
            }
        });
        // From the start or, when connecting again, from where it was: everything stored, each sample once.
        let since = self.watch.try_update_value(|watch| watch.take().map(|watch| watch.since())).flatten();
        let watch = Watch::open(&sockets_origin(), session, token, since.unwrap_or_default(), move |event| {
            self.on(event);
        });
        self.watch.set_value(Some(watch));
    }

    /// Keeps the flags on the timelines as the relay has its markers, until the session is over.
    async fn follow_markers(self, relay: Relay, session: SessionId) {
        loop {
            let phase = self.phase.get_untracked();
            // Without them the view goes on.
            if !matches!(phase, Phase::Fault(_))
                && let Ok(list) = relay.markers(session).await
            {
                self.show_markers(list.markers);
            }
            if phase == Phase::Over {
                return;
            }
            TimeoutFuture::new(MARKERS_MS).await;
        }
    }

    fn show_markers(self, markers: Vec<Marker>) {
        let known = self.markers.get_untracked();
        for (source, Seen { reading, .. }) in self.sources.get_untracked() {
            let (before, now) = (flags(&known, &source), flags(&markers, &source));
            before.iter().filter(|flag| !now.contains(flag)).for_each(|flag| reading.unflag(flag));
            now.into_iter().filter(|flag| !before.contains(flag)).for_each(|flag| reading.flag(flag));
        }
        self.markers.set(markers);
    }

    fn on(self, event: WatchEvent) {
        match event {
            WatchEvent::State(WatchState::Connecting) => {
                if matches!(self.phase.try_get_untracked(), Some(Phase::Live)) {
                    self.phase.set(Phase::Connecting);
                }
            }
            WatchEvent::State(WatchState::Live) => drop(self.phase.try_set(Phase::Live)),
            WatchEvent::State(WatchState::Offline { .. }) => drop(self.phase.try_set(Phase::Offline)),
            WatchEvent::State(WatchState::Ended(CloseCode::Done))
            | WatchEvent::Session { status: SessionStatus::Completed } => {
                self.phase.try_set(Phase::Over);
            }
            WatchEvent::State(WatchState::Ended(close)) => {
                if self.phase.try_get_untracked() != Some(Phase::Over) {
                    self.phase.try_set(Phase::Fault(Fault::closed(close)));
                }
            }
            WatchEvent::Samples { source, samples } => self.take(source, &samples),
            WatchEvent::Presence { sources, watchers } => {
                self.connected.try_set(sources);
                self.watchers.try_set(watchers);
            }
            WatchEvent::Session { status: SessionStatus::Active } => {}
        }
    }

    fn take(self, source: SourceName, samples: &[Sample]) {
        let known = self.sources.try_with_untracked(|sources| sources.get(&source).copied());
        let Some(known) = known else { return };
        let seen = known.or_else(|| {
            let seen = self.scope.within(|| Seen { reading: Reading::new(), last_seq: RwSignal::new(0) })?;
            let flags = self.markers.with_untracked(|markers| flags(markers, &source));
            for flag in flags {
                seen.reading.flag(flag);
            }
            self.sources.update(|sources| {
                sources.insert(source, seen);
            });
            Some(seen)
        });
        let Some(seen) = seen else { return };
        seen.reading.take_samples(samples);
        if let Some(last) = samples.last() {
            seen.last_seq.set(last.seq);
        }
        self.samples.update(|count| *count += samples.len() as u64);
    }
}

/// What stands on a source's timeline: its own markers, and those of the whole session.
fn flags(markers: &[Marker], source: &SourceName) -> Vec<Flag> {
    let here = |marker: &&Marker| marker.source.as_ref().is_none_or(|of| of == source);
    let flag = |marker: &Marker| Flag { at_ms: marker.at, label: marker.label.clone() };
    markers.iter().filter(here).map(flag).collect()
}

#[component]
fn WatchView(state: State, session: SessionId, on_connect: Callback<()>) -> impl IntoView {
    let keys_open = RwSignal::new(false);
    help_key(move || keys_open.set(true));
    let title = move || {
        Some(state.title.get())
            .filter(|title| !title.trim().is_empty())
            .unwrap_or_else(|| "Live session".to_owned())
    };
    let link = move || match state.phase.get() {
        Phase::Connecting => ("connecting", "Connecting"),
        Phase::Live => ("live", "Live"),
        Phase::Offline => ("offline", "Offline; connecting again by itself"),
        Phase::Over | Phase::Fault(_) => ("ended", "The session has ended"),
    };
    let last_seq = move || {
        state.sources.with(|sources| sources.values().map(|seen| seen.last_seq.get()).max().unwrap_or(0))
    };
    let cameras = move || {
        let connected = state.connected.with(Vec::len) as u64;
        format!(
            "{} · {}",
            format::count(connected, "source connected", "sources connected"),
            format::count(state.watchers.get(), "watcher", "watchers")
        )
    };
    let phase = Memo::new(move |_| state.phase.get());
    let names = Memo::new(move |_| state.sources.with(|sources| sources.keys().cloned().collect::<Vec<_>>()));
    view! {
        <main class="watch" data-testid="watch" data-session=session.to_string()>
            <header class="top">
                <Brand />
                <h1 tabindex="-1" translate="no" prop:textContent=text(title)></h1>
                <span class="link" role="status" data-testid="link-state" data-state=move || link().0
                    prop:textContent=text(move || link().1)></span>
                <span class="spacer"></span>
                <span class="hint" translate="no" lang="en" data-testid="presence" data-sources=move || state.connected.with(Vec::len).to_string()
                    data-watchers=move || state.watchers.get().to_string() prop:textContent=text(cameras)></span>
                <button class="help quiet" on:click=move |_| keys_open.set(true)>"Keys"<kbd>"?"</kbd></button>
            </header>
            <div class="notices"><Notice phase=phase on_connect=on_connect /></div>
            <Show
                when=move || names.with(|names| !names.is_empty())
                fallback=move || view! { <Empty phase=phase on_connect=on_connect /> }
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

/// What an interruption or the end means for what is shown, and the way on.
#[component]
fn Notice(phase: Memo<Phase>, on_connect: Callback<()>) -> impl IntoView {
    move || {
        match phase.get() {
        Phase::Offline => view! {
            <div class="notice warn" role="status" data-testid="watch-offline">
                <p>"The line to the relay is cut. It is tried again by itself, and what is recorded meanwhile comes then; nothing is lost."</p>
                <button on:click=move |_| on_connect.run(())>"Try now"</button>
            </div>
        }
        .into_any(),
        Phase::Over => view! {
            <div class="notice" role="status" data-testid="watch-over">
                <p>"The session has ended. What it showed stays here until you leave the page."</p>
                <Link to=Route::Home class="button">"To the first page"</Link>
            </div>
        }
        .into_any(),
        Phase::Connecting | Phase::Live | Phase::Fault(_) => ().into_any(),
    }
    }
}

/// In place of the sources while there are none.
#[component]
fn Empty(phase: Memo<Phase>, on_connect: Callback<()>) -> impl IntoView {
    let words = move || {
        match phase.get() {
        Phase::Connecting => view! {
            <p>"Connecting to the relay that has the session"</p>
            <progress aria-label="Connecting"></progress>
        }
        .into_any(),
        Phase::Live => view! {
            <p>"Nothing recorded yet. The numbers appear here by themselves as soon as a camera runs; if one already does, connect again."</p>
            <button on:click=move |_| on_connect.run(())>"Connect again"</button>
        }
        .into_any(),
        // What to do stands in the notice above.
        Phase::Over => view! { <p prop:textContent="Nothing was recorded."></p> }.into_any(),
        Phase::Offline | Phase::Fault(_) => view! { <p prop:textContent="Nothing has come so far."></p> }.into_any(),
    }
    };
    view! { <div class="empty" role="status">{words}</div> }
}

#[component]
fn SourceCard(name: SourceName, seen: Seen, state: State) -> impl IntoView {
    let reading = seen.reading;
    let label = name.to_string();
    let title = if name == SourceName::default() { "Main camera".to_owned() } else { label.clone() };
    let here = move || state.connected.with(|connected| connected.contains(&name));
    let faces = move || format::count(reading.faces.with(Vec::len) as u64, "face", "faces");
    view! {
        <section class="source" data-source=label.clone() aria-label=title.clone()>
            <header>
                <h2 translate="no" prop:textContent=title.clone()></h2>
                <span translate="no" lang="en" prop:textContent=text(move || {
                    if here() { format!("Connected · {}", faces()) } else { "Not connected".to_owned() }
                })></span>
            </header>
            <div class="pair">
                <Now face=reading.main begun=reading.begun spoken=reading.spoken testid="watch-expression" />
                <Bars face=reading.main />
            </div>
            <TimelinePlot timeline=reading.timeline />
        </section>
    }
}
