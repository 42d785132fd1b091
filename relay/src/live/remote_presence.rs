//! What the other replicas say of a session: who is connected there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::Presence;

/// A replica that was not heard of for so long is gone. Three times the interval at which each repeats itself.
pub(crate) const SILENCE: Duration = Duration::from_secs(15);

/// Presence by replica, without this one.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    replicas: HashMap<Uuid, (Presence, Instant)>,
    /// Whether all were asked.
    known: bool,
}

impl Elsewhere {
    pub(super) fn is_empty(&self) -> bool {
        self.replicas.is_empty()
    }

    pub(super) fn set(&mut self, replica: Uuid, presence: Presence, now: Instant) {
        if presence.is_empty() {
            self.replicas.remove(&replica);
        } else {
            self.replicas.insert(replica, (presence, now));
        }
    }

    pub(super) fn replace(&mut self, all: BTreeMap<Uuid, Presence>, now: Instant) {
        self.known = true;
        self.replicas.clear();
        for (replica, presence) in all {
            self.set(replica, presence, now);
        }
    }

    pub(super) fn is_known(&self) -> bool {
        self.known
    }

    /// Forgets replicas that are silent; whether there was one.
    pub(super) fn prune(&mut self, now: Instant) -> bool {
        let before = self.replicas.len();
        self.replicas.retain(|_, (_, heard)| now.duration_since(*heard) < SILENCE);
        self.replicas.len() < before
    }

    /// Everyone, here and elsewhere.
    pub(super) fn with(&self, here: Presence) -> Presence {
        let mut sources: BTreeSet<_> = here.sources.into_iter().collect();
        let mut watchers = here.watchers;
        for (there, _) in self.replicas.values() {
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
    fn all_replicas_count_until_they_are_silent() {
        let name = |name: &str| name.parse().unwrap();
        let here = Presence { sources: vec![name("main")], watchers: 1 };
        let there = Presence { sources: vec![name("cam-2"), name("main")], watchers: 2 };
        let (replica, start) = (Uuid::now_v7(), Instant::now());
        let mut elsewhere = Elsewhere::default();
        assert_eq!(elsewhere.with(here.clone()), here);
        elsewhere.set(replica, there.clone(), start);
        let all = Presence { sources: vec![name("cam-2"), name("main")], watchers: 3 };
        assert_eq!(elsewhere.with(here.clone()), all);
        assert!(!elsewhere.prune(start + SILENCE / 2));
        assert!(elsewhere.prune(start + SILENCE));
        assert_eq!(elsewhere.with(here.clone()), here);
        elsewhere.set(replica, there, start);
        elsewhere.set(replica, Presence::default(), start);
        assert_eq!(elsewhere.with(here.clone()), here, "it said that nobody is there");
    }
}
