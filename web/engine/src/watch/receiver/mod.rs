//! The protocol of a watcher: where it begins, and what the samples that come are. Pure.

use std::collections::BTreeMap;

use mien_shared::limits::SILENCE;
use mien_shared::protocol::{WatchReply, WatchRequest, WatchWelcome};
use mien_shared::{Sample, SourceName};

use super::event::{Begin, Behind, WatchEvent, WatchState};
use super::pace::{Pace, SourcePace};
use crate::browser::Reach;
use crate::clock::Steady;
use crate::link::{Effect, Link, LinkEnd, Phase, Protocol};

/// Samples with which a watcher begins, all sources together: four minutes of one that sends fifteen per second, two of
/// one that sends thirty, some 700 kB. A number and not a time, because the clocks of source, relay and watcher need not
/// agree, and because the number is what a slow line has to carry.
const RECENT_SAMPLES: u64 = 3_600;
/// If there are many sources, each begins with no fewer than this.
const MIN_RECENT: u64 = 60;

#[derive(Debug)]
pub(super) struct Receiver {
    link: Link<WatchEvent>,
    token: String,
    /// Each source with the last seq that was seen of it. `None` until the relay has said how far the sources have
    /// come.
    sources: Option<BTreeMap<SourceName, Pace>>,
    /// The session is so young that its start is recent. A guess by clocks that may be wrong: it costs or saves a
    /// connection.
    is_young: bool,
    told_paces: BTreeMap<SourceName, SourcePace>,
    told: Option<WatchState>,
    /// The maximum of this period of catching up.
    most_behind_ms: u64,
    /// An open line without a message until then is dead. The relay reports presence well before that if there is
    /// nothing else to say; a page sees no pings, and a line that was cut silently looks like an idle one.
    silent_at: Steady,
}

impl Protocol for Receiver {
    type Effect = WatchEvent;

    fn tick(&mut self, now: Steady, random: f64) {
        if !self.link.is_open() {
            self.update_link(now, |link| link.tick(now, random));
        } else if now >= self.silent_at {
            self.update_link(now, |link| link.give_up_connection(now, random));
        } else {
            self.tell_progress(now, Report::WithFigures);
        }
    }

    fn hurry(&mut self, now: Steady) {
        self.update_link(now, |link| link.hurry(now));
    }

    fn opened(&mut self, now: Steady) {
        if !self.link.opened(now) {
            return;
        }
        // If nothing is known yet, the welcome says how far the sources have come: this asks only for what is new, or
        // for everything if that will not be much.
        let since = self.since().or_else(|| self.is_young.then(BTreeMap::new));
        let hello = WatchRequest::Hello { token: &self.token, since: since.as_ref() };
        if let Ok(text) = serde_json::to_string(&hello) {
            self.link.send(text);
        }
    }

    fn message(&mut self, now: Steady, text: &str, _random: f64) {
        self.silent_at = now + SILENCE;
        // Anything that is not a message of the contract is ignored: the contract may grow.
        let Ok(reply) = serde_json::from_str::<WatchReply>(text) else { return };
        match reply {
            WatchReply::Welcome(welcome) => self.welcome(now, welcome),
            WatchReply::Samples { source, samples } => self.samples(now, source, samples),
            WatchReply::Presence { sources, watchers } => {
                self.link.push(WatchEvent::Presence { sources, watchers });
            }
            WatchReply::Session { status } => self.link.push(WatchEvent::Session { status }),
            // Only a message of ours can be at fault, and there is just one: the close that follows decides.
            WatchReply::Error { .. } => {}
        }
    }

    fn closed(&mut self, now: Steady, code: u16, random: f64) {
        let is_known = self.sources.is_some();
        self.update_link(now, |link| link.closed(now, code, random, is_known));
    }

    fn reached(&mut self, now: Steady, reach: Reach) {
        if self.link.reached(reach) {
            let retry_in_ms = match self.link.phase() {
                Phase::Offline { until } => until.since(now).as_millis() as u32,
                _ => 0,
            };
            self.tell_state(WatchState::Offline { retry_in_ms, trouble: self.link.trouble() });
        }
    }

    fn take_effects(&mut self) -> Vec<Effect<WatchEvent>> {
        self.link.take_effects()
    }

    fn is_over(&self) -> bool {
        self.link.is_over()
    }
}

/// How much a report says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Report {
    Changes,
    /// How far behind as well, which changes with every sample.
    WithFigures,
}

impl Receiver {
    pub(super) fn new(token: String, begin: Begin, is_young: bool, now: Steady) -> Self {
        let sources = match begin {
            Begin::Recent => None,
            Begin::After(since) => {
                Some(since.into_iter().map(|(source, seq)| (source, Pace::new(seq))).collect())
            }
        };
        let mut receiver = Self {
            link: Link::new(now),
            token,
            sources,
            is_young,
            told_paces: BTreeMap::new(),
            told: None,
            most_behind_ms: 0,
            silent_at: now + SILENCE,
        };
        receiver.tell_state(WatchState::Connecting);
        receiver
    }

    /// Where a receiver that replaces this one is to begin.
    pub(super) fn place(&self) -> Begin {
        self.since().map_or(Begin::Recent, Begin::After)
    }

    fn since(&self) -> Option<BTreeMap<SourceName, u64>> {
        let sources = self.sources.as_ref()?;
        Some(sources.iter().map(|(source, pace)| (source.clone(), pace.seen())).collect())
    }

    /// Reports what state the link is in now.
    fn update_link(&mut self, now: Steady, act: impl FnOnce(&mut Link<WatchEvent>)) {
        let before = self.link.phase();
        act(&mut self.link);
        let phase = self.link.phase();
        if phase == before {
            return;
        }
        match phase {
            Phase::Connecting { .. } => self.tell_state(WatchState::Connecting),
            Phase::Offline { until } => {
                let retry_in_ms = until.since(now).as_millis() as u32;
                self.tell_state(WatchState::Offline { retry_in_ms, trouble: self.link.trouble() });
            }
            Phase::Ended(LinkEnd::Closed(close)) => self.tell_state(WatchState::Ended(close)),
            Phase::Ended(LinkEnd::Done | LinkEnd::TakenOver) | Phase::Greeting { .. } | Phase::Open => {}
        }
    }

    fn welcome(&mut self, now: Steady, welcome: WatchWelcome) {
        self.link.welcomed();
        self.link.reset_backoff();
        let WatchWelcome { status, sources: connected, watchers, throughs, .. } = welcome;
        if self.sources.is_none() {
            let begin = recent(throughs.as_ref());
            // If nothing is stored everything is new, and a young session was requested from its start.
            let nothing_stored = throughs.as_ref() == Some(&begin);
            let goes_on = nothing_stored || (self.is_young && begin.values().all(|&seq| seq == 0));
            self.sources = Some(begin.into_iter().map(|(source, seq)| (source, Pace::new(seq))).collect());
            if !goes_on {
                return self.link.reconnect(now);
            }
        }
        let sources = self.sources.get_or_insert_default();
        for source in throughs.iter().flat_map(BTreeMap::keys) {
            sources.entry(source.clone()).or_default();
        }
        for (source, pace) in sources {
            let stored = throughs.as_ref().map(|throughs| throughs.get(source).copied().unwrap_or(0));
            pace.welcome(millis(now), stored);
        }
        self.tell_progress(now, Report::WithFigures);
        self.link.push(WatchEvent::Presence { sources: connected, watchers });
        self.link.push(WatchEvent::Session { status });
    }

    /// The relay sends each sample once; this makes sure of it across reconnects.
    fn samples(&mut self, now: Steady, source: SourceName, mut samples: Vec<Sample>) {
        let pace = self.sources.get_or_insert_default().entry(source.clone()).or_default();
        pace.take(millis(now), &mut samples);
        // What the samples are comes before the samples, so that history is never shown as live, not even once.
        self.tell_progress(now, Report::Changes);
        if !samples.is_empty() {
            self.link.push(WatchEvent::Samples { source, samples });
        }
    }

    fn tell_progress(&mut self, now: Steady, report: Report) {
        if !self.link.is_open() {
            return;
        }
        let now = millis(now);
        let (mut worst, mut live) = (None::<Option<u64>>, false);
        let mut changed = Vec::new();
        for (source, pace) in self.sources.iter().flatten() {
            let current = pace.pace(now);
            match current {
                // One that is not known might be the worst.
                SourcePace::CatchingUp => worst = Some(worst.flatten().max(pace.behind_ms(now))),
                SourcePace::Live => live = true,
                SourcePace::Quiet => {}
            }
            if self.told_paces.get(source) != Some(&current) {
                changed.push((source.clone(), current));
            }
        }
        self.most_behind_ms = worst.map_or(0, |ms| self.most_behind_ms.max(ms.unwrap_or(0)));
        let state = match worst {
            Some(ms) => WatchState::CatchingUp(ms.map(|ms| Behind { ms, most_ms: self.most_behind_ms })),
            None if live => WatchState::Live,
            None => WatchState::Quiet,
        };
        let same_kind =
            self.told.as_ref().map(std::mem::discriminant) == Some(std::mem::discriminant(&state));
        if report == Report::WithFigures || !same_kind {
            self.tell_state(state);
        }
        for (source, pace) in changed {
            self.told_paces.insert(source.clone(), pace);
            self.link.push(WatchEvent::Pace { source, pace });
        }
    }

    fn tell_state(&mut self, state: WatchState) {
        if self.told.as_ref() != Some(&state) {
            self.told = Some(state.clone());
            self.link.push(WatchEvent::State(state));
        }
    }
}

fn millis(now: Steady) -> u64 {
    now.since_beginning().as_millis() as u64
}

/// The seqs after which the recent part of each source begins; all of it if an older relay does not say how far the
/// sources have come.
fn recent(throughs: Option<&BTreeMap<SourceName, u64>>) -> BTreeMap<SourceName, u64> {
    let Some(throughs) = throughs else { return BTreeMap::new() };
    let sending = throughs.values().filter(|&&through| through > 0).count() as u64;
    let each = (RECENT_SAMPLES / sending.max(1)).max(MIN_RECENT);
    throughs.iter().map(|(source, through)| (source.clone(), through.saturating_sub(each))).collect()
}

#[cfg(test)]
mod tests;
