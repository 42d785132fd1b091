//! The machine of a watcher's link: when it connects, from where, and what it then says of what comes.

use std::collections::BTreeMap;

use mien_shared::limits::SILENCE;
use mien_shared::problem::CloseCode;
use mien_shared::protocol::{WatchReply, WatchRequest, WatchWelcome};
use mien_shared::{Sample, SourceName};

use super::handle::{Begin, Behind, WatchEvent, WatchState};
use super::pace::{Pace, SourcePace};
use crate::browser::Reach;
use crate::link::Doubt;
use crate::link::pause_ms;

/// A connection that has not opened and welcomed us by then is given up.
const GREETING_MS: u64 = 10_000;
/// An open line without a message for so long is dead. The relay says who is there well before that where nothing
/// else is to be said; a page sees no pings, and a line that was cut without a word looks like an idle one.
const SILENCE_MS: u64 = SILENCE.as_secs() * 1_000;
/// Samples with which a watcher begins, all sources together: four minutes of one that sends fifteen a second, two of
/// one that sends thirty, some 700 kB. By number and not by time, because the clocks of source, relay and watcher
/// need not agree, and because it is the number that a slow line waits for.
const RECENT_SAMPLES: u64 = 3_600;
/// Where there are many sources, each begins with no fewer than this.
const FEWEST_RECENT: u64 = 60;

#[derive(Debug, PartialEq)]
pub(super) enum Effect {
    Connect,
    Send(String),
    Close,
    Tell(WatchEvent),
    /// Asks by HTTP why a socket did not open; answered by [`Link::reached`].
    Probe,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Offline { until: u64 },
    Connecting { until: u64 },
    Open { until: u64 },
    Ended(CloseCode),
}

/// Times are steady milliseconds.
#[derive(Debug)]
pub(super) struct Link {
    token: String,
    /// Each source with the last seq that was seen of it. `None` until the relay has said how far the sources
    /// have come.
    sources: Option<BTreeMap<SourceName, Pace>>,
    /// Whether the session is so young that its start is recent. A guess, by clocks that may be wrong: it costs or
    /// saves a connection.
    young: bool,
    told_paces: BTreeMap<SourceName, SourcePace>,
    told: Option<WatchState>,
    /// How far behind this catching up was at its worst.
    most_behind_ms: u64,
    phase: Phase,
    attempt: u32,
    /// Whether this connection has opened.
    opened: bool,
    doubt: Doubt,
    effects: Vec<Effect>,
}

impl Link {
    pub(super) fn new(token: String, begin: Begin, young: bool, now: u64) -> Self {
        let sources = match begin {
            Begin::Recent => None,
            Begin::After(since) => {
                Some(since.into_iter().map(|(source, seq)| (source, Pace::new(seq))).collect())
            }
        };
        let mut link = Self {
            token,
            sources,
            young,
            told_paces: BTreeMap::new(),
            told: None,
            most_behind_ms: 0,
            phase: Phase::Offline { until: now },
            attempt: 0,
            opened: false,
            doubt: Doubt::default(),
            effects: Vec::new(),
        };
        link.connect(now);
        link
    }

    /// What there is to do, in order; it is handed out once.
    pub(super) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    /// Where a link that takes this one's place begins.
    pub(super) fn place(&self) -> Begin {
        self.since().map_or(Begin::Recent, Begin::After)
    }

    fn since(&self) -> Option<BTreeMap<SourceName, u64>> {
        let sources = self.sources.as_ref()?;
        Some(sources.iter().map(|(source, pace)| (source.clone(), pace.seen())).collect())
    }

    pub(super) fn tick(&mut self, now: u64, random: f64) {
        match self.phase {
            Phase::Offline { until } if now >= until => self.connect(now),
            Phase::Connecting { until } | Phase::Open { until } if now >= until => {
                self.effects.push(Effect::Close);
                self.doubt_it();
                self.retry(now, random);
            }
            Phase::Open { .. } => self.tell_progress(now, true),
            _ => {}
        }
    }

    /// Connects now rather than after the pause.
    pub(super) fn hurry(&mut self, now: u64) {
        if let Phase::Offline { .. } = self.phase {
            self.connect(now);
        }
    }

    pub(super) fn opened(&mut self, now: u64) {
        self.opened = true;
        self.phase = Phase::Connecting { until: now + GREETING_MS };
        // Where nothing is known yet, the welcome says how far the sources have come: asked for what is new alone,
        // or for everything where that will not be much.
        let since = self.since().or_else(|| self.young.then(BTreeMap::new));
        let hello = WatchRequest::Hello { token: &self.token, since: since.as_ref() };
        if let Ok(text) = serde_json::to_string(&hello) {
            self.effects.push(Effect::Send(text));
        }
    }

    pub(super) fn message(&mut self, now: u64, text: &str) {
        if let Phase::Open { until } = &mut self.phase {
            *until = now + SILENCE_MS;
        }
        // What is no message of the contract is ignored: the contract may grow.
        let Ok(reply) = serde_json::from_str::<WatchReply>(text) else { return };
        match reply {
            WatchReply::Welcome(welcome) => self.welcome(now, welcome),
            WatchReply::Samples { source, samples } => self.samples(now, source, samples),
            WatchReply::Presence { sources, watchers } => {
                self.tell(WatchEvent::Presence { sources, watchers });
            }
            WatchReply::Session { status } => self.tell(WatchEvent::Session { status }),
            // Only a message of ours can be at fault, and there is one: the close that follows decides.
            WatchReply::Error { .. } => {}
        }
    }

    fn welcome(&mut self, now: u64, welcome: WatchWelcome) {
        self.attempt = 0;
        self.doubt.welcomed();
        let WatchWelcome { status, sources: connected, watchers, throughs, .. } = welcome;
        if self.sources.is_none() {
            let begin = recent(throughs.as_ref());
            // Where nothing is stored all is new, and a young session was asked for from its start.
            let nothing_stored = throughs.as_ref() == Some(&begin);
            let goes_on = nothing_stored || (self.young && begin.values().all(|&seq| seq == 0));
            self.sources = Some(begin.into_iter().map(|(source, seq)| (source, Pace::new(seq))).collect());
            if !goes_on {
                self.effects.extend([Effect::Close, Effect::Connect]);
                self.opened = false;
                self.phase = Phase::Connecting { until: now + GREETING_MS };
                return;
            }
        }
        self.phase = Phase::Open { until: now + SILENCE_MS };
        let sources = self.sources.get_or_insert_default();
        for source in throughs.iter().flat_map(BTreeMap::keys) {
            sources.entry(source.clone()).or_default();
        }
        for (source, pace) in sources {
            let stored = throughs.as_ref().map(|throughs| throughs.get(source).copied().unwrap_or(0));
            pace.welcome(now, stored);
        }
        self.tell_progress(now, true);
        self.tell(WatchEvent::Presence { sources: connected, watchers });
        self.tell(WatchEvent::Session { status });
    }

    /// The relay sends each sample once; across a reconnect this is what makes it sure.
    fn samples(&mut self, now: u64, source: SourceName, mut samples: Vec<Sample>) {
        let pace = self.sources.get_or_insert_default().entry(source.clone()).or_default();
        pace.take(now, &mut samples);
        // First what the samples are, then they themselves: nobody shows history as live, not even once.
        self.tell_progress(now, false);
        if !samples.is_empty() {
            self.tell(WatchEvent::Samples { source, samples });
        }
    }

    pub(super) fn closed(&mut self, now: u64, code: u16, random: f64) {
        match CloseCode::from_code(code) {
            // It was there: the store may be another one for a while.
            Some(CloseCode::SessionNotFound) if self.sources.is_some() => {
                self.doubt.unknown_session();
                self.retry(now, random);
            }
            Some(close) if !close.worth_retrying() => {
                self.phase = Phase::Ended(close);
                self.tell_state(WatchState::Ended(close));
            }
            _ => {
                self.doubt_it();
                self.retry(now, random);
            }
        }
    }

    /// The connection is gone: why, HTTP may say where it had not even opened.
    fn doubt_it(&mut self) {
        if self.opened {
            self.doubt.broke();
        } else {
            self.effects.push(Effect::Probe);
        }
    }

    /// The answer to [`Effect::Probe`]. One that comes when a connection has opened since says nothing any more.
    pub(super) fn reached(&mut self, now: u64, reach: Reach) {
        let waits = match self.phase {
            Phase::Offline { until } => until.saturating_sub(now),
            Phase::Connecting { .. } if !self.opened => 0,
            _ => return,
        };
        let before = self.doubt.trouble();
        self.doubt.reached(reach);
        let trouble = self.doubt.trouble();
        if trouble != before {
            self.tell_state(WatchState::Offline { retry_in_ms: waits as u32, trouble });
        }
    }

    fn connect(&mut self, now: u64) {
        self.phase = Phase::Connecting { until: now + GREETING_MS };
        self.opened = false;
        self.effects.push(Effect::Connect);
        self.tell_state(WatchState::Connecting);
    }

    fn retry(&mut self, now: u64, random: f64) {
        let retry_in_ms = pause_ms(self.attempt, random);
        self.attempt += 1;
        self.phase = Phase::Offline { until: now + u64::from(retry_in_ms) };
        self.tell_state(WatchState::Offline { retry_in_ms, trouble: self.doubt.trouble() });
    }

    /// Says what has changed. How far behind is only said with `figures`: it changes with every sample.
    fn tell_progress(&mut self, now: u64, figures: bool) {
        if !matches!(self.phase, Phase::Open { .. }) {
            return;
        }
        let (mut worst, mut live) = (None::<Option<u64>>, false);
        let mut changed = Vec::new();
        for (source, pace) in self.sources.iter().flatten() {
            let is = pace.pace(now);
            match is {
                // Of one that cannot be told it is not known whether it is the worst.
                SourcePace::CatchingUp => worst = Some(worst.flatten().max(pace.behind_ms(now))),
                SourcePace::Live => live = true,
                SourcePace::Quiet => {}
            }
            if self.told_paces.get(source) != Some(&is) {
                changed.push((source.clone(), is));
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
        if figures || !same_kind {
            self.tell_state(state);
        }
        for (source, pace) in changed {
            self.told_paces.insert(source.clone(), pace);
            self.tell(WatchEvent::Pace { source, pace });
        }
    }

    fn tell_state(&mut self, state: WatchState) {
        if self.told.as_ref() != Some(&state) {
            self.told = Some(state.clone());
            self.tell(WatchEvent::State(state));
        }
    }

    fn tell(&mut self, event: WatchEvent) {
        self.effects.push(Effect::Tell(event));
    }
}

/// The seqs after which the recent part of each source begins; all of it where an older relay does not say how far
/// the sources have come.
fn recent(throughs: Option<&BTreeMap<SourceName, u64>>) -> BTreeMap<SourceName, u64> {
    let Some(throughs) = throughs else { return BTreeMap::new() };
    let sending = throughs.values().filter(|&&through| through > 0).count() as u64;
    let each = (RECENT_SAMPLES / sending.max(1)).max(FEWEST_RECENT);
    throughs.iter().map(|(source, through)| (source.clone(), through.saturating_sub(each))).collect()
}

#[cfg(test)]
mod tests;
