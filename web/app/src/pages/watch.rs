//! The live view behind a share link: numbers of every source, as the relay has stored them.

use std::collections::BTreeMap;

use leptos::prelude::*;
use mien_engine::api::Relay;
use mien_engine::{Watch, WatchEvent, WatchState, page_origin, sockets_origin};
use mien_shared::problem::CloseCode;
use mien_shared::{Sample, SessionId, SessionStatus, SourceName};

use super::scope::Scope;
use crate::browser::{self, Step};
use crate::components::{Bars, Brand, FaultCard, Now, TimelinePlot};
use crate::fault::Fault;
use crate::kept;
use crate::model::{format, route::Route};
use crate::reading::Reading;

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
        watch: StoredValue::new_local(None),
    };
    let open = move || state.open(session, &token);
    open();
    let fault = Memo::new(move |_| match state.phase.get() {
        Phase::Fault(fault) => Some(fault),
        _ => None,
    });
    let retry = Callback::new(move |()| open());
    move || match fault.get() {
        Some(fault) => view! { <FaultCard fault=fault on_retry=retry /> }.into_any(),
        None => view! { <WatchView state=state session=session /> }.into_any(),
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

#[component]
fn WatchView(state: State, session: SessionId) -> impl IntoView {
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
    let empty = move || match state.phase.get() {
        Phase::Connecting => "Connecting to the session",
        Phase::Over => "The session has ended; nothing was recorded.",
        _ => "Nothing recorded yet. The numbers appear here as soon as a camera runs.",
    };
    let names = Memo::new(move |_| state.sources.with(|sources| sources.keys().cloned().collect::<Vec<_>>()));
    view! {
        <main class="watch" data-testid="watch" data-session=session.to_string()>
            <header class="top">
                <Brand />
                <h1 tabindex="-1">{title}</h1>
                <span class="link" role="status" data-testid="link-state" data-state=move || link().0>{move || link().1}</span>
                <span class="spacer"></span>
                <span class="hint" data-testid="presence" data-sources=move || state.connected.with(Vec::len).to_string()
                    data-watchers=move || state.watchers.get().to_string()>{cameras}</span>
            </header>
            <Show when=move || state.phase.get() == Phase::Over>
                <div class="notice" role="status" data-testid="watch-over"><p>"The session has ended. What it showed stays here until you close the page."</p></div>
            </Show>
            <Show
                when=move || names.with(|names| !names.is_empty())
                fallback=move || view! { <div class="empty" role="status"><p>{empty}</p></div> }
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
                <span data-testid="watch-count" data-count=move || state.samples.get().to_string()>
                    {move || format::count(state.samples.get(), "sample", "samples")}
                </span>
                " received, the newest is number "
                <span data-testid="watch-lastseq">{move || last_seq().to_string()}</span>
            </p>
        </main>
    }
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
                <h2>{title.clone()}</h2>
                <span>{move || if here() { format!("Connected · {}", faces()) } else { "Not connected".to_owned() }}</span>
            </header>
            <div class="pair">
                <Now face=reading.main begun=reading.begun spoken=reading.spoken testid="watch-expression" />
                <Bars face=reading.main />
            </div>
            <TimelinePlot timeline=reading.timeline />
        </section>
    }
}
