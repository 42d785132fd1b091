//! What a watching page knows: the link, the sources, and what each shows now or showed last.

use std::collections::BTreeMap;
use std::time::Duration;

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use mien_engine::api::Relay;
use mien_engine::{
    Begin, Behind, SourcePace, Steady, Trouble, Watch, WatchEvent, WatchState, page_base, sockets_base,
    steady_now, wall_now,
};
use mien_shared::api::Marker;
use mien_shared::problem::CloseCode;
use mien_shared::{Code, Expression, Sample, SessionId, SessionStatus, SourceName};

use super::super::scope::Scope;
use crate::fault::Fault;
use crate::kept;
use crate::model::face::main_face;
use crate::model::timeline::Flag;
use crate::reading::Reading;

/// A token that is refused this soon after it was given will not be bettered by another.
const RENEW_AGAIN: Duration = Duration::from_mins(1);
/// Markers are asked for this often: the contract has no message for them, and a note may come late.
const MARKERS_MS: u32 = 15_000;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phase {
    Connecting,
    /// What comes is not of now.
    CatchingUp(Option<Behind>),
    Live,
    /// Connected, and nothing comes.
    Quiet,
    /// Since then, Unix milliseconds.
    Offline {
        since: u64,
    },
    /// The session is completed; what it showed stays.
    Over,
    Fault(Fault),
}

impl Phase {
    /// Whether the relay says what happens.
    pub(super) fn is_connected(&self) -> bool {
        matches!(self, Self::CatchingUp(_) | Self::Live | Self::Quiet)
    }
}

/// What the newest sample of a source showed, for as long as it is not of now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Last {
    /// By the source's clock, Unix milliseconds.
    pub at: u64,
    pub shown: Shown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Nobody,
    /// The face that the figures speak of; `None` where the analyser abstained.
    Face(Option<Expression>),
}

/// One source of the session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub reading: Reading,
    pub last_seq: RwSignal<u64>,
    pub pace: RwSignal<SourcePace>,
    pub last: RwSignal<Option<Last>>,
}

impl Seen {
    fn new() -> Self {
        Self {
            reading: Reading::new(),
            last_seq: RwSignal::new(0),
            pace: RwSignal::new(SourcePace::Quiet),
            last: RwSignal::new(None),
        }
    }
}

/// A handle; a copy is the same view.
#[derive(Clone, Copy)]
pub(super) struct State {
    scope: Scope,
    session: SessionId,
    token: StoredValue<String>,
    pub phase: RwSignal<Phase>,
    pub title: RwSignal<String>,
    pub sources: RwSignal<BTreeMap<SourceName, Seen>>,
    pub connected: RwSignal<Vec<SourceName>>,
    pub watchers: RwSignal<u64>,
    pub samples: RwSignal<u64>,
    /// Whether the session takes no more.
    pub completed: RwSignal<bool>,
    /// What the relay has of the recording's markers.
    markers: RwSignal<Vec<Marker>>,
    watch: StoredValue<Option<Watch>, LocalStorage>,
    /// What keeps the link from the relay, where that is known.
    pub trouble: RwSignal<Option<Trouble>>,
    /// When a new token was got last.
    renewed: StoredValue<Option<Steady>>,
}

impl State {
    pub(super) fn new(session: SessionId, token: String) -> Self {
        let state = Self {
            scope: Scope::here(),
            session,
            token: StoredValue::new(token),
            phase: RwSignal::new(Phase::Connecting),
            title: RwSignal::new(String::new()),
            sources: RwSignal::new(BTreeMap::new()),
            connected: RwSignal::new(Vec::new()),
            watchers: RwSignal::new(0),
            samples: RwSignal::new(0),
            completed: RwSignal::new(false),
            markers: RwSignal::new(Vec::new()),
            watch: StoredValue::new_local(None),
            trouble: RwSignal::new(None),
            renewed: StoredValue::new(None),
        };
        state.scope.spawn(state.follow_markers());
        state
    }

    pub(super) fn scope(self) -> Scope {
        self.scope
    }

    pub(super) fn session(self) -> SessionId {
        self.session
    }

    pub(super) fn relay(self) -> Relay {
        Relay::new(page_base(), Some(self.token.get_value()))
    }

    pub(super) fn open(self) {
        self.phase.set(Phase::Connecting);
        let (relay, session) = (self.relay(), self.session);
        self.scope.spawn(async move {
            // The title is a courtesy; without it the view is whole.
            if let Ok(session) = relay.session(session).await {
                self.title.set(session.title);
            }
        });
        // When connecting again, from where it was: each sample once.
        let begin = self.watch.try_update_value(|watch| watch.take().map(|watch| watch.place())).flatten();
        let token = self.token.get_value();
        let watch =
            Watch::open(&sockets_base(), session, &token, begin.unwrap_or(Begin::Recent), move |event| {
                self.on(event);
            });
        self.watch.set_value(Some(watch));
    }

    /// Connects now, where it waits before it tries again.
    pub(super) fn hurry(self) {
        self.watch.with_value(|watch| watch.iter().for_each(Watch::hurry));
    }

    /// Whether this source shows what is now.
    pub(super) fn is_live(self, seen: Seen) -> bool {
        seen.pace.get() == SourcePace::Live && self.phase.with(Phase::is_connected)
    }

    /// Keeps the flags on the timelines as the relay has its markers. Once the session is over no socket tells of
    /// its end, and this is how the page hears that it was erased.
    async fn follow_markers(self) {
        let session = self.session;
        loop {
            // Without them the view goes on.
            if !self.phase.with_untracked(|phase| matches!(phase, Phase::Fault(_))) {
                match self.relay().markers(session).await {
                    Ok(list) => self.show_markers(list.markers),
                    Err(fault) => match fault.code() {
                        // The link hears more of why; it has ended where the session is over.
                        Some(Code::SessionNotFound | Code::SessionEnded)
                            if self.phase.get_untracked() == Phase::Over =>
                        {
                            self.clear(Fault::closed_to_watchers(CloseCode::SessionEnded));
                        }
                        _ => {}
                    },
                }
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
            WatchEvent::State(state) => self.enter(&state),
            WatchEvent::Pace { source, pace } => self.set_pace(&source, pace),
            WatchEvent::Samples { source, samples } => self.take(&source, &samples),
            WatchEvent::Presence { sources, watchers } => {
                self.connected.try_set(sources);
                self.watchers.try_set(watchers);
            }
            WatchEvent::Session { status } => {
                self.completed.try_set(status == SessionStatus::Completed);
            }
        }
    }

    /// The token is over. Where this device may ask for another, the view goes on with it from where it is.
    fn expired(self) {
        let before = self.renewed.get_value();
        let again = before.is_some_and(|before| steady_now().since(before) < RENEW_AGAIN);
        self.scope.spawn(async move {
            let token = if again { None } else { kept::renew_watch(self.session).await };
            match token {
                Some(token) => {
                    self.renewed.set_value(Some(steady_now()));
                    self.token.set_value(token);
                    self.open();
                }
                None => self.phase.set(Phase::Fault(Fault::closed_to_watchers(CloseCode::Unauthorized))),
            }
        });
    }

    fn enter(self, state: &WatchState) {
        let Some(before) = self.phase.try_get_untracked() else { return };
        match state {
            // Between two tries it is as it was.
            WatchState::Connecting => {}
            WatchState::Offline { trouble, .. } => self.trouble.set(*trouble),
            _ => self.trouble.set(None),
        }
        let phase = match state {
            // Between two attempts it is as it was.
            WatchState::Connecting => before,
            WatchState::CatchingUp(behind) => Phase::CatchingUp(*behind),
            WatchState::Live => Phase::Live,
            WatchState::Quiet => Phase::Quiet,
            WatchState::Offline { .. } => match before {
                Phase::Offline { since } => Phase::Offline { since },
                _ => Phase::Offline { since: wall_now().0 },
            },
            WatchState::Ended(CloseCode::Unauthorized) => return self.expired(),
            WatchState::Ended(CloseCode::Done) => Phase::Over,
            WatchState::Ended(close) => {
                let fault = Fault::closed_to_watchers(*close);
                if *close == CloseCode::SessionEnded {
                    self.clear(fault);
                    return;
                }
                Phase::Fault(fault)
            }
        };
        self.phase.set(phase);
    }

    /// Nothing that the session showed stays.
    fn clear(self, fault: Fault) {
        for Seen { reading, last, .. } in self.sources.get_untracked().into_values() {
            reading.forget();
            last.set(None);
        }
        self.sources.set(BTreeMap::new());
        self.markers.set(Vec::new());
        self.title.set(String::new());
        self.phase.set(Phase::Fault(fault));
    }

    /// The source, which is made where it is new. `None` once the page is left.
    fn seen(self, source: &SourceName) -> Option<Seen> {
        let known = self.sources.try_with_untracked(|sources| sources.get(source).copied())?;
        known.or_else(|| {
            let seen = self.scope.within(Seen::new)?;
            let flags = self.markers.with_untracked(|markers| flags(markers, source));
            for flag in flags {
                seen.reading.flag(flag);
            }
            self.sources.update(|sources| {
                sources.insert(source.clone(), seen);
            });
            Some(seen)
        })
    }

    fn set_pace(self, source: &SourceName, pace: SourcePace) {
        let known = self.sources.try_with_untracked(|sources| sources.get(source).copied()).flatten();
        // One that is quiet and was never seen has nothing to show.
        let seen = known.or_else(|| if pace == SourcePace::Quiet { None } else { self.seen(source) });
        if let Some(seen) = seen {
            seen.pace.set(pace);
        }
    }

    fn take(self, source: &SourceName, samples: &[Sample]) {
        let Some(newest) = samples.last() else { return };
        let Some(seen) = self.seen(source) else { return };
        if seen.pace.get_untracked() == SourcePace::Live {
            seen.reading.take_samples(samples);
        } else {
            seen.reading.recall(samples);
        }
        let chosen = seen.reading.chosen.get_untracked();
        let main = main_face(&newest.faces, chosen);
        let shown = main.map_or(Shown::Nobody, |face| Shown::Face(face.expression));
        seen.last.set(Some(Last { at: newest.at, shown }));
        seen.last_seq.set(newest.seq);
        self.samples.update(|count| *count += samples.len() as u64);
    }
}

/// What stands on a source's timeline: its own markers, and those of the whole session.
fn flags(markers: &[Marker], source: &SourceName) -> Vec<Flag> {
    let here = |marker: &&Marker| marker.source.as_ref().is_none_or(|of| of == source);
    let flag = |marker: &Marker| Flag { at_ms: marker.at, label: marker.label.clone() };
    markers.iter().filter(here).map(flag).collect()
}
