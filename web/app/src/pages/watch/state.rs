//! What a watching page knows: its link and its sources.

use std::collections::BTreeMap;

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use mien_engine::api::Relay;
use mien_engine::{
    Begin, SourcePace, Trouble, Watch, WatchEvent, WatchState, page_base, sockets_base, wall_now,
};
use mien_shared::api::Marker;
use mien_shared::problem::CloseCode;
use mien_shared::{Code, Sample, SessionId, SessionStatus, SourceName};

use super::markers::of_source;
use super::phase::Phase;
use super::source_state::{LastSample, Shown, WatchedSource};
use crate::fault::Fault;
use crate::page_owner::PageOwner;
use crate::saved::{self, RenewalLimit};

/// Markers are requested this often: the contract has no message for them, and one may come late.
const MARKERS_MS: u32 = 15_000;

/// A handle; a copy is the same view.
#[derive(Clone, Copy)]
pub(super) struct State {
    owner: PageOwner,
    session: SessionId,
    token: StoredValue<String>,
    pub phase: RwSignal<Phase>,
    pub title: RwSignal<String>,
    pub sources: RwSignal<BTreeMap<SourceName, WatchedSource>>,
    pub connected: RwSignal<Vec<SourceName>>,
    pub watchers: RwSignal<u64>,
    /// How many samples have arrived.
    pub sample_count: RwSignal<u64>,
    /// Whether the session is completed; the last of its samples may still be arriving.
    pub is_completed: RwSignal<bool>,
    /// What the relay has of the recording's markers.
    markers: RwSignal<Vec<Marker>>,
    watch: StoredValue<Option<Watch>, LocalStorage>,
    /// What keeps the link from the relay, if that is known.
    pub trouble: RwSignal<Option<Trouble>>,
    renewal_limit: RenewalLimit,
}

impl State {
    pub(super) fn new(session: SessionId, token: String) -> Self {
        let state = Self {
            owner: PageOwner::current(),
            session,
            token: StoredValue::new(token),
            phase: RwSignal::new(Phase::Connecting),
            title: RwSignal::new(String::new()),
            sources: RwSignal::new(BTreeMap::new()),
            connected: RwSignal::new(Vec::new()),
            watchers: RwSignal::new(0),
            sample_count: RwSignal::new(0),
            is_completed: RwSignal::new(false),
            markers: RwSignal::new(Vec::new()),
            watch: StoredValue::new_local(None),
            trouble: RwSignal::new(None),
            renewal_limit: RenewalLimit::new(),
        };
        state.owner.spawn(state.follow_markers());
        state
    }

    pub(super) fn owner(self) -> PageOwner {
        self.owner
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
        self.owner.spawn(async move {
            // The view is complete without the title.
            if let Ok(session) = relay.session(session).await {
                self.title.set(session.title);
            }
        });
        // When connecting again, it continues where it was: each sample once.
        let begin = self.watch.try_update_value(|watch| watch.take().map(|watch| watch.place())).flatten();
        let token = self.token.get_value();
        let watch =
            Watch::open(&sockets_base(), session, &token, begin.unwrap_or(Begin::Recent), move |event| {
                self.on(event);
            });
        self.watch.set_value(Some(watch));
    }

    /// Connects now if it is waiting before the next attempt.
    pub(super) fn connect_now(self) {
        self.watch.with_value(|watch| watch.iter().for_each(Watch::hurry));
    }

    /// Whether this source shows what is current.
    pub(super) fn is_live(self, source: WatchedSource) -> bool {
        source.pace.get() == SourcePace::Live && self.phase.with(Phase::is_connected)
    }

    /// Keeps the markers on the timelines as the relay has them. Once the session is completed there is no socket to say
    /// so, and this is how the page learns that it was erased.
    async fn follow_markers(self) {
        let session = self.session;
        loop {
            // The view is complete without them.
            if !self.phase.with_untracked(|phase| matches!(phase, Phase::Fault(_))) {
                match self.relay().markers(session).await {
                    Ok(list) => self.show_markers(list.markers),
                    Err(fault) => match fault.code() {
                        // While there is a link, that says why.
                        Some(Code::SessionNotFound | Code::SessionEnded)
                            if self.phase.get_untracked() == Phase::Completed =>
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
        for (source, WatchedSource { signals, .. }) in self.sources.get_untracked() {
            let (before, now) = (of_source(&known, &source), of_source(&markers, &source));
            before.iter().filter(|old| !now.contains(old)).for_each(|old| signals.remove_marker(old));
            now.into_iter().filter(|new| !before.contains(new)).for_each(|new| signals.add_marker(new));
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
                self.is_completed.try_set(status == SessionStatus::Completed);
            }
        }
    }

    /// The token has expired. If this device may request another, the view continues with it.
    fn expired(self) {
        let may_renew = self.renewal_limit.may_renew();
        self.owner.spawn(async move {
            let token = if may_renew { saved::renew_watch_token(self.session).await } else { None };
            match token {
                Some(token) => {
                    self.renewal_limit.note();
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
            // Between two attempts the trouble remains.
            WatchState::Connecting => {}
            WatchState::Offline { trouble, .. } => self.trouble.set(*trouble),
            _ => self.trouble.set(None),
        }
        let phase = match state {
            // Between two attempts the phase remains.
            WatchState::Connecting => before,
            WatchState::CatchingUp(behind) => Phase::CatchingUp(*behind),
            WatchState::Live => Phase::Live,
            WatchState::Quiet => Phase::Quiet,
            WatchState::Offline { .. } => match before {
                Phase::Offline { since_ms } => Phase::Offline { since_ms },
                _ => Phase::Offline { since_ms: wall_now().0 },
            },
            WatchState::Ended(CloseCode::Unauthorized) => return self.expired(),
            WatchState::Ended(CloseCode::Done) => Phase::Completed,
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

    /// Nothing that the session showed remains.
    fn clear(self, fault: Fault) {
        for WatchedSource { signals, last, .. } in self.sources.get_untracked().into_values() {
            signals.reset();
            last.set(None);
        }
        self.sources.set(BTreeMap::new());
        self.markers.set(Vec::new());
        self.title.set(String::new());
        self.phase.set(Phase::Fault(fault));
    }

    /// The source, created where it is new. `None` once the page is left.
    fn source(self, name: &SourceName) -> Option<WatchedSource> {
        let known = self.sources.try_with_untracked(|sources| sources.get(name).copied())?;
        known.or_else(|| {
            let source = self.owner.with(WatchedSource::new)?;
            for marker in self.markers.with_untracked(|markers| of_source(markers, name)) {
                source.signals.add_marker(marker);
            }
            self.sources.update(|sources| {
                sources.insert(name.clone(), source);
            });
            Some(source)
        })
    }

    fn set_pace(self, name: &SourceName, pace: SourcePace) {
        let known = self.sources.try_with_untracked(|sources| sources.get(name).copied()).flatten();
        // One that is quiet and has sent nothing yet has nothing to show.
        let source = known.or_else(|| if pace == SourcePace::Quiet { None } else { self.source(name) });
        if let Some(source) = source {
            source.pace.set(pace);
        }
    }

    fn take(self, name: &SourceName, samples: &[Sample]) {
        let Some(newest) = samples.last() else { return };
        let Some(source) = self.source(name) else { return };
        if source.pace.get_untracked() == SourcePace::Live {
            source.signals.show_samples(samples);
        } else {
            source.signals.restore(samples);
        }
        let main = source.signals.main_of(&newest.faces, |_| None);
        let shown = main.map_or(Shown::Nobody, |face| Shown::Face(face.expression));
        source.last.set(Some(LastSample { at_ms: newest.at, shown }));
        source.last_seq.set(newest.seq);
        self.sample_count.update(|count| *count += samples.len() as u64);
    }
}
