//! A receiver, what it was sent and what it has reported.

use std::collections::BTreeMap;

use mien_shared::protocol::{WatchReply, WatchWelcome};
use mien_shared::{Sample, SessionId, SessionStatus, SourceName};

use super::super::Receiver;
use crate::clock::Steady;
use crate::link::{Effect, Protocol};
use crate::{Begin, Behind, SourcePace, WatchEvent, WatchState};

/// Far from this page's clock, and with the source's own idea of the time.
pub(super) const EPOCH: u64 = 1_763_907_600_000;

pub(super) fn at(ms: u64) -> Steady {
    Steady::after(std::time::Duration::from_millis(ms))
}

pub(super) fn name(name: &str) -> SourceName {
    name.parse().unwrap()
}

pub(super) fn seqs(of: &[(&str, u64)]) -> BTreeMap<SourceName, u64> {
    of.iter().map(|&(source, seq)| (name(source), seq)).collect()
}

pub(super) fn welcome(throughs: Option<&[(&str, u64)]>) -> String {
    let welcome = WatchWelcome {
        session: SessionId(uuid::Uuid::from_u128(7)),
        status: SessionStatus::Active,
        expressions: Vec::new(),
        sources: Vec::new(),
        watchers: 1,
        throughs: throughs.map(seqs),
    };
    serde_json::to_string(&WatchReply::Welcome(welcome)).unwrap()
}

pub(super) fn message(source: &str, samples: Vec<Sample>) -> String {
    serde_json::to_string(&WatchReply::Samples { source: name(source), samples }).unwrap()
}

/// Samples ten times a second, the first at the epoch.
pub(super) fn at_ten(range: std::ops::RangeInclusive<u64>) -> Vec<Sample> {
    range.map(|seq| Sample::new(seq, EPOCH + 100 * seq, Vec::new())).collect()
}

/// A receiver and what it has reported.
pub(super) struct Watcher {
    pub(super) receiver: Receiver,
    pub(super) effects: Vec<Effect<WatchEvent>>,
}

impl Watcher {
    pub(super) fn new(begin: Begin) -> Self {
        Self { receiver: Receiver::new("t".to_owned(), begin, false, at(0)), effects: Vec::new() }
    }

    /// Opened at 0, and welcomed.
    pub(super) fn welcomed(begin: Begin, throughs: Option<&[(&str, u64)]>) -> Self {
        let mut watcher = Self::new(begin);
        watcher.receiver.opened(at(0));
        watcher.receiver.message(at(0), &welcome(throughs), 0.0);
        watcher
    }

    pub(super) fn effects(&mut self) -> &[Effect<WatchEvent>] {
        self.effects.extend(self.receiver.take_effects());
        &self.effects
    }

    pub(super) fn hello(&mut self) -> String {
        let sent = self.effects().iter().rev().find_map(|effect| match effect {
            Effect::Send(text) => Some(text.clone()),
            _ => None,
        });
        self.effects.clear();
        sent.unwrap()
    }

    pub(super) fn state(&mut self) -> WatchState {
        let told = self.effects().iter().rev().find_map(|effect| match effect {
            Effect::Other(WatchEvent::State(state)) => Some(state.clone()),
            _ => None,
        });
        told.unwrap()
    }

    pub(super) fn pace(&mut self, source: &str) -> SourcePace {
        let source = name(source);
        let told = self.effects().iter().rev().find_map(|effect| match effect {
            Effect::Other(WatchEvent::Pace { source: of, pace }) if *of == source => Some(*pace),
            _ => None,
        });
        told.unwrap()
    }

    pub(super) fn seen(&mut self) -> Vec<u64> {
        self.effects();
        std::mem::take(&mut self.effects)
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Other(WatchEvent::Samples { samples, .. }) => Some(samples),
                _ => None,
            })
            .flatten()
            .map(|sample| sample.seq)
            .collect()
    }

    /// A live source: a message every 100 ms with what was just taken.
    pub(super) fn live(&mut self, from_ms: u64, range: std::ops::RangeInclusive<u64>) -> u64 {
        let mut now = from_ms;
        for sample in at_ten(range) {
            now += 100;
            self.receiver.message(at(now), &message("main", vec![sample]), 0.0);
            self.receiver.tick(at(now), 0.0);
        }
        now
    }
}

pub(super) fn behind(state: &WatchState) -> Option<Behind> {
    match state {
        WatchState::CatchingUp(behind) => *behind,
        other => panic!("not catching up: {other:?}"),
    }
}
