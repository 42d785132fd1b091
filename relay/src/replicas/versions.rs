//! Which answers about a session are stale.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use mien_shared::SessionId;

/// Sessions share slots: when one changes, those of its slot are asked for again, too. Of the sessions that are cached,
/// two or three share one.
const SLOTS: usize = 4_096;

/// When sessions were changed last, as ascending numbers. They are never forgotten, so that an answer is known to be
/// stale however long it took.
#[derive(Debug)]
pub(super) struct Versions {
    count: AtomicU64,
    /// The last change of the sessions that share a slot.
    slots: Box<[AtomicU64]>,
    /// The last change that any session may have had.
    all: AtomicU64,
    hash: RandomState,
}

impl Default for Versions {
    fn default() -> Self {
        let slots = (0..SLOTS).map(|_| AtomicU64::new(0)).collect();
        Self { count: AtomicU64::new(0), slots, all: AtomicU64::new(0), hash: RandomState::new() }
    }
}

impl Versions {
    pub(super) fn now(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    fn next(&self) -> u64 {
        self.count.fetch_add(1, Ordering::AcqRel) + 1
    }

    pub(super) fn bump(&self, id: SessionId) -> u64 {
        let change = self.next();
        self.slot(id).fetch_max(change, Ordering::AcqRel);
        change
    }

    pub(super) fn bump_all(&self) {
        self.all.fetch_max(self.next(), Ordering::AcqRel);
    }

    pub(super) fn last(&self, id: SessionId) -> u64 {
        self.slot(id).load(Ordering::Acquire).max(self.all.load(Ordering::Acquire))
    }

    fn slot(&self, id: SessionId) -> &AtomicU64 {
        &self.slots[self.hash.hash_one(id) as usize % self.slots.len()]
    }
}
