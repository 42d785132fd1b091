//! Who is connected to a session: here, and according to other relays.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use mien_shared::api::SourceName;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A relay that has not been heard from for this long is gone. Three times the interval at which each repeats its
/// presence.
pub(crate) const PRESENCE_TIMEOUT: Duration = Duration::from_secs(15);

/// Who is connected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    pub sources: Vec<SourceName>,
    pub watchers: u64,
}

impl Presence {
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty() && self.watchers == 0
    }
}

/// Presence at the other relays.
#[derive(Debug, Default)]
pub(super) struct RemotePresence {
    relays: HashMap<Uuid, (Presence, Instant)>,
    /// Whether all of them were asked.
    known: bool,
}

impl RemotePresence {
    pub(super) fn is_empty(&self) -> bool {
        self.relays.is_empty()
    }

    pub(super) fn set(&mut self, relay: Uuid, presence: Presence, now: Instant) {
        if presence.is_empty() {
            self.relays.remove(&relay);
        } else {
            self.relays.insert(relay, (presence, now));
        }
    }

    pub(super) fn replace(&mut self, all: BTreeMap<Uuid, Presence>, now: Instant) {
        self.known = true;
        self.relays.clear();
        for (relay, presence) in all {
            self.set(relay, presence, now);
        }
    }

    pub(super) fn is_known(&self) -> bool {
        self.known
    }

    /// Removes silent relays; `true` if there were any.
    pub(super) fn expire(&mut self, now: Instant) -> bool {
        let before = self.relays.len();
        self.relays.retain(|_, (_, heard)| now.duration_since(*heard) < PRESENCE_TIMEOUT);
        self.relays.len() < before
    }

    /// Everyone, at this relay and the others.
    pub(super) fn merged_with(&self, here: Presence) -> Presence {
        let mut sources: BTreeSet<_> = here.sources.into_iter().collect();
        let mut watchers = here.watchers;
        for (there, _) in self.relays.values() {
            sources.extend(there.sources.iter().cloned());
            watchers = watchers.saturating_add(there.watchers);
        }
        Presence { sources: sources.into_iter().collect(), watchers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_relays_count_until_they_are_silent() {
        let name = |name: &str| name.parse().unwrap();
        let here = Presence { sources: vec![name("main")], watchers: 1 };
        let there = Presence { sources: vec![name("cam-2"), name("main")], watchers: 2 };
        let (relay, start) = (Uuid::now_v7(), Instant::now());
        let mut remote = RemotePresence::default();
        assert_eq!(remote.merged_with(here.clone()), here);
        remote.set(relay, there.clone(), start);
        let all = Presence { sources: vec![name("cam-2"), name("main")], watchers: 3 };
        assert_eq!(remote.merged_with(here.clone()), all);
        assert!(!remote.expire(start + PRESENCE_TIMEOUT / 2));
        assert!(remote.expire(start + PRESENCE_TIMEOUT));
        assert_eq!(remote.merged_with(here.clone()), here);
        remote.set(relay, there, start);
        remote.set(relay, Presence::default(), start);
        assert_eq!(remote.merged_with(here.clone()), here, "it said that nobody is there");
    }
}
