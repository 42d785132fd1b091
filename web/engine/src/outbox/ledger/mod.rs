//! The numbers of one source's samples: which seq is next, which are on the disk, which may have been sent, which are
//! acked. The newest samples themselves are in its `cache`. Pure.
//!
//! ```text
//!   acked │ front …………… on disk (saved) …………… │ unsaved │ next
//!         └ pending                       └ cache: the newest, in memory ┘
//! ```
//! A seq is never used for two different samples. So before a sample may be sent, the disk keeps a mark that it may have
//! been. What the relay has from this source up to `through` is ours up to the mark; what is beyond, another device
//! sent, and our own unsent samples move behind it by a change of `offset` alone: the disk's keys stay.
//!
//! If the disk accepts nothing more, what it has is sent first, under the same rule, and memory holds what comes after.
//! When memory overflows, the oldest samples that were never sent are dropped; they leave a gap in the numbers, which
//! the relay records. A disk that does not keep up costs no numbers: the newest sample takes the place of the one
//! before. Either way the next sample accounts for the time of those that are lost.

use mien_shared::Sample;

use super::cache::Cache;
use super::storage::StorageMode;
use crate::browser::DatabaseFault;

/// Samples kept in memory beside the disk, half a minute at 30 per second; older ones are read back when needed.
pub(crate) const MAX_CACHED: usize = 1_024;
/// Samples kept if there is no disk: ten minutes at 30 per second, some 6 MB with one face each.
pub(crate) const MAX_IN_MEMORY: usize = 18_000;

/// What the disk keeps of the numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Numbers {
    /// Added to a key on the disk, it gives the seq.
    pub(crate) offset: u64,
    /// The highest seq in use.
    pub(crate) last: u64,
    /// Samples up to this seq may have been sent.
    pub(crate) marked: u64,
    /// Higher than every face's identity so far.
    #[serde(default)]
    pub(crate) next_face: u32,
}

/// What can be sent next.
#[derive(Debug, PartialEq)]
pub(crate) enum Next<'a> {
    Nothing,
    Ready(Vec<&'a Sample>),
    /// The samples are only on the disk, from this seq to that, both included.
    OnDisk(u64, u64),
}

#[derive(Debug)]
pub(crate) struct Ledger {
    storage: StorageMode,
    offset: u64,
    front: u64,
    next: u64,
    /// Samples up to this seq are on the disk, or were.
    saved: u64,
    marked: u64,
    next_face: u32,
    cache: Cache,
    dropped: u64,
}

impl Ledger {
    /// `first`: the first key on the disk, if there is one.
    pub(crate) fn restore(storage: StorageMode, numbers: Numbers, first: Option<u64>) -> Self {
        let next = numbers.last + 1;
        let front = first.map_or(next, |key| (key + numbers.offset).clamp(1, next));
        Self {
            storage,
            offset: numbers.offset,
            front,
            next,
            saved: numbers.last,
            marked: numbers.marked,
            next_face: numbers.next_face,
            cache: Cache::default(),
            dropped: 0,
        }
    }

    pub(crate) fn storage(&self) -> StorageMode {
        self.storage
    }

    pub(crate) fn is_on_disk(&self) -> bool {
        self.storage.is_disk()
    }

    pub(crate) fn pending(&self) -> u64 {
        self.on_disk_alone() + self.cache.len() as u64
    }

    fn on_disk_alone(&self) -> u64 {
        (self.saved + 1).min(self.cache_from()).saturating_sub(self.front)
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Nothing below this seq is pending.
    pub(crate) fn front(&self) -> u64 {
        self.front
    }

    pub(crate) fn numbers(&self) -> Numbers {
        Numbers { offset: self.offset, last: self.saved, marked: self.marked, next_face: self.next_face }
    }

    /// No face of this source had this identity or a higher one.
    pub(crate) fn next_face(&self) -> u32 {
        self.next_face
    }

    /// The key on the disk of a seq.
    pub(crate) fn key(&self, seq: u64) -> u64 {
        seq.saturating_sub(self.offset)
    }

    /// The last key of the disk that has been answered for since this seq was the front; `None` if there is none. What
    /// memory took has keys of its own, which another visit may use for its rows.
    pub(crate) fn answered_key(&self, since: u64) -> Option<u64> {
        (since <= self.saved && since < self.front).then(|| self.key(self.saved.min(self.front - 1)))
    }

    /// Takes a sample and numbers it. If there is no room, another one is dropped, and this or a later one accounts for
    /// its time.
    pub(crate) fn push(&mut self, mut sample: Sample) {
        let highest = sample.faces.iter().map(|face| face.id.saturating_add(1)).max();
        self.next_face = self.next_face.max(highest.unwrap_or_default());
        let oldest_is_saved = self.cache_from() <= self.saved;
        let limit = if self.is_on_disk() { MAX_CACHED } else { MAX_IN_MEMORY };
        if self.cache.len() >= limit {
            if oldest_is_saved {
                self.cache.forget_oldest();
            } else if self.is_on_disk() {
                self.replace_newest(&mut sample);
            }
        }
        self.cache.push(Sample { seq: self.next, ..sample });
        self.next += 1;
        // What may have been sent stays, as the relay may have it. If all others were sent, there is one more than room
        // for until the next comes.
        if !self.is_on_disk() && self.cache.len() > limit && self.cache.drop_first_after(self.marked) {
            self.dropped += 1;
        }
        self.skip_gap();
    }

    /// The disk has not kept up for as long as the cache lasts: this sample takes the number of the newest, which is not
    /// being written yet, as a write takes the oldest.
    fn replace_newest(&mut self, sample: &mut Sample) {
        if let Some(seq) = self.cache.drop_newest(sample) {
            self.next = seq;
            self.dropped += 1;
        }
    }

    /// The oldest samples that are not on the disk, at most `count`.
    pub(crate) fn unsaved(&self, count: usize) -> Vec<&Sample> {
        self.cache.iter().filter(|sample| sample.seq > self.saved).take(count).collect()
    }

    /// The pending samples that are in memory, in order.
    pub(crate) fn cached(&self) -> Vec<Sample> {
        self.cache.iter().cloned().collect()
    }

    pub(crate) fn saved(&mut self, through: u64) {
        self.saved = self.saved.max(through);
    }

    /// From now on only memory takes what comes.
    pub(crate) fn leave_disk(&mut self, why: DatabaseFault) {
        self.storage = StorageMode::Memory { why };
    }

    /// Samples that are only on the disk cannot be read: they count as dropped, and their numbers are a gap. What they
    /// said about their time is lost with them.
    pub(crate) fn give_up_disk_part(&mut self) {
        self.dropped += self.on_disk_alone();
        self.front = self.front.max(self.cache_from());
    }

    /// The highest seq that may be sent. What is on the disk may be sent once the disk has the mark for it, too.
    fn sendable(&self) -> u64 {
        match self.storage {
            StorageMode::Disk => self.saved.min(self.marked),
            StorageMode::Memory { .. } if self.needs_mark() => self.marked,
            StorageMode::Memory { .. } => self.next - 1,
        }
    }

    /// Whether the disk must have a higher mark before all that it holds may be sent.
    pub(crate) fn needs_mark(&self) -> bool {
        let holds_pending = self.is_on_disk() || self.front <= self.saved;
        holds_pending && self.marked < self.saved
    }

    pub(crate) fn marked(&mut self, through: u64) {
        self.marked = self.marked.max(through);
    }

    /// What can be sent from this seq on.
    pub(crate) fn next_from(&self, seq: u64, count: usize) -> Next<'_> {
        let from = seq.max(self.front);
        let to = self.sendable();
        if from > to {
            return Next::Nothing;
        }
        let cache_from = self.cache_from();
        if from < cache_from && from <= self.saved {
            let last = self.saved.min(cache_from - 1);
            return Next::OnDisk(from, to.min(last).min(from + count as u64 - 1));
        }
        Next::Ready(self.cache.iter_from(from).take_while(|sample| sample.seq <= to).take(count).collect())
    }

    /// The relay has answered for everything up to here. True if that is new.
    pub(crate) fn acked(&mut self, through: u64) -> bool {
        let through = through.min(self.next - 1);
        if through < self.front {
            return false;
        }
        self.front = through + 1;
        while self.cache.first_seq().is_some_and(|seq| seq <= through) {
            self.cache.forget_oldest();
        }
        self.skip_gap();
        true
    }

    /// How far the relay has this source, at the start of a connection. What was ours of it is acked; unsent samples
    /// move behind it. True if something was acked or moved.
    pub(crate) fn welcomed(&mut self, through: u64) -> bool {
        let acked = self.acked(through.min(self.marked));
        if self.front > through {
            return acked;
        }
        let shift = through + 1 - self.front;
        self.offset += shift;
        self.front += shift;
        self.next += shift;
        self.saved += shift;
        self.marked = through;
        self.cache.shift(shift);
        true
    }

    /// Numbers of samples that were dropped are not pending.
    fn skip_gap(&mut self) {
        if self.front > self.saved {
            self.front = self.front.max(self.cache_from());
        }
    }

    fn cache_from(&self) -> u64 {
        self.cache.first_seq().unwrap_or(self.next)
    }
}

#[cfg(test)]
mod tests;
