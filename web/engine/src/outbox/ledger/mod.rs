//! The numbers of one source's samples: which seq is next, which are on the disk, which may have been sent,
//! which are acked; and the newest samples themselves. Pure.
//!
//! ```text
//!   acked │ front …………… on disk (saved) …………… │ unsaved │ next
//!         └ pending                       └ cache: the newest, in memory ┘
//! ```
//! A seq is never used twice for different samples. The disk therefore keeps, before a sample may be sent, a
//! mark that it may have been. What the relay has from this source up to `through` is ours up to the mark;
//! beyond it, another device sent it, and our own unsent samples move behind it by a change of `offset` alone:
//! the disk's keys stay.
//!
//! Where the disk takes nothing more, what it has is sent first, under the same rule, and memory holds what comes
//! after it. When that runs over, the oldest go that were never sent, and leave a hole in the numbers, which the
//! relay records. A disk that does not keep up costs no numbers: the newest sample takes the place of the one before.
//! Either way the next sample tells of the time of those that are lost (`skips`).

use std::collections::VecDeque;

use mien_shared::Sample;

use super::skips;

/// Samples kept in memory beside the disk, half a minute at 30 a second; older ones are read back when needed.
pub(crate) const CACHE: usize = 1_024;
/// Samples kept where there is no disk: ten minutes at 30 a second, some 6 MB with one face each.
pub(crate) const MEMORY: usize = 18_000;

/// What the disk keeps of the numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Numbers {
    /// Added to a key on the disk it gives the seq.
    pub(crate) offset: u64,
    /// The highest seq given out.
    pub(crate) last: u64,
    /// Samples up to this seq may have been sent.
    pub(crate) marked: u64,
    /// Above every face's identity so far.
    #[serde(default)]
    pub(crate) next_face: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shelf {
    Disk,
    Memory,
}

/// What can be sent next.
#[derive(Debug, PartialEq)]
pub(crate) enum Next<'a> {
    Nothing,
    Ready(Vec<&'a Sample>),
    /// The samples lie on the disk alone, from this seq to that, both included.
    OnDisk(u64, u64),
}

#[derive(Debug)]
pub(crate) struct Ledger {
    shelf: Shelf,
    offset: u64,
    front: u64,
    next: u64,
    /// Samples up to this seq are on the disk, or were.
    saved: u64,
    marked: u64,
    next_face: u32,
    /// In order of seq; there may be holes in it.
    cache: VecDeque<Sample>,
    /// Where the time of the oldest sample in the cache begins, once something came before it.
    cache_begin: Option<i64>,
    dropped: u64,
}

impl Ledger {
    /// `first`: the first key on the disk, where there is one.
    pub(crate) fn restore(shelf: Shelf, numbers: Numbers, first: Option<u64>) -> Self {
        let next = numbers.last + 1;
        let front = first.map_or(next, |key| (key + numbers.offset).clamp(1, next));
        Self {
            shelf,
            offset: numbers.offset,
            front,
            next,
            saved: numbers.last,
            marked: numbers.marked,
            next_face: numbers.next_face,
            cache: VecDeque::new(),
            cache_begin: None,
            dropped: 0,
        }
    }

    pub(crate) fn shelf(&self) -> Shelf {
        self.shelf
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

    /// Where what of the disk was pending from this seq on has been answered for since: the last such key. What
    /// memory took has keys of its own, which another visit may use for its rows.
    pub(crate) fn answered_key(&self, since: u64) -> Option<u64> {
        (since <= self.saved && since < self.front).then(|| self.key(self.saved.min(self.front - 1)))
    }

    /// Takes a sample and numbers it. Where there is no room, another goes, and this or a later one tells of its time.
    pub(crate) fn push(&mut self, mut sample: Sample) {
        let highest = sample.faces.iter().map(|face| face.id.saturating_add(1)).max();
        self.next_face = self.next_face.max(highest.unwrap_or_default());
        match self.shelf {
            Shelf::Disk if self.cache.len() >= CACHE && self.cache_from() > self.saved => {
                self.replace_newest(&mut sample);
            }
            Shelf::Disk if self.cache.len() >= CACHE => self.forget_oldest(),
            // The disk has it still.
            Shelf::Memory if self.cache.len() >= MEMORY && self.cache_from() <= self.saved => {
                self.forget_oldest();
            }
            Shelf::Disk | Shelf::Memory => {}
        }
        self.cache.push_back(Sample { seq: self.next, ..sample });
        self.next += 1;
        if self.shelf == Shelf::Memory && self.cache.len() > MEMORY {
            self.drop_unsent();
        }
        self.skip_hole();
    }

    /// The disk has not kept up for as long as the cache lasts: this sample takes number and place of the newest,
    /// which is not under way to the disk yet, as a write takes the oldest.
    fn replace_newest(&mut self, sample: &mut Sample) {
        let Some(lost) = self.cache.pop_back() else { return };
        let begin = self.begin_of(self.cache.len(), &lost);
        skips::pass_on(&lost, begin, sample);
        self.next = lost.seq;
        self.dropped += 1;
    }

    /// Makes room in memory. What may have been sent stays, as the relay may have it, and so does the newest sample,
    /// which tells of what is lost: where all others were sent, there is one more than room for until the next comes.
    fn drop_unsent(&mut self) {
        let place = self.cache.partition_point(|sample| sample.seq <= self.marked);
        if place + 1 >= self.cache.len() {
            return;
        }
        let Some(lost) = self.cache.remove(place) else { return };
        let begin = self.begin_of(place, &lost);
        if let Some(next) = self.cache.get_mut(place) {
            skips::pass_on(&lost, begin, next);
        }
        self.dropped += 1;
    }

    /// Where the time of a sample begins that was taken out of the cache at this place.
    fn begin_of(&mut self, place: usize, sample: &Sample) -> i64 {
        match place.checked_sub(1).and_then(|before| self.cache.get(before)) {
            Some(before) => skips::after(before),
            None => *self.cache_begin.get_or_insert_with(|| skips::begin(sample)),
        }
    }

    fn forget_oldest(&mut self) {
        self.cache_begin = self.cache.pop_front().as_ref().map(skips::after).or(self.cache_begin);
    }

    /// The oldest samples that are not on the disk, at most `count`.
    pub(crate) fn unsaved(&self, count: usize) -> Vec<&Sample> {
        self.cache.iter().filter(|sample| sample.seq > self.saved).take(count).collect()
    }

    /// What of the samples that are pending memory has, in order.
    pub(crate) fn held(&self) -> Vec<Sample> {
        self.cache.iter().cloned().collect()
    }

    pub(crate) fn saved(&mut self, through: u64) {
        self.saved = self.saved.max(through);
    }

    /// From now on memory alone takes what comes.
    pub(crate) fn leave_disk(&mut self) {
        self.shelf = Shelf::Memory;
    }

    /// Samples that are only on the disk cannot be read: they count as dropped, and their numbers are a gap. What
    /// they said of their time is gone with them.
    pub(crate) fn give_up_disk_part(&mut self) {
        self.dropped += self.on_disk_alone();
        self.front = self.front.max(self.cache_from());
    }

    /// The highest seq that may be sent. What is on the disk may be once the disk has the mark for it, too.
    fn sendable(&self) -> u64 {
        match self.shelf {
            Shelf::Disk => self.saved.min(self.marked),
            Shelf::Memory if self.wants_mark() => self.marked,
            Shelf::Memory => self.next - 1,
        }
    }

    /// Whether the disk must have a higher mark before all that it holds may be sent.
    pub(crate) fn wants_mark(&self) -> bool {
        let holds_pending = self.shelf == Shelf::Disk || self.front <= self.saved;
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
        Next::Ready(
            self.cache
                .iter()
                .skip(self.cache.partition_point(|sample| sample.seq < from))
                .take_while(|sample| sample.seq <= to)
                .take(count)
                .collect(),
        )
    }

    /// The relay has answered for everything up to here. True when that was news.
    pub(crate) fn acked(&mut self, through: u64) -> bool {
        let through = through.min(self.next - 1);
        if through < self.front {
            return false;
        }
        self.front = through + 1;
        while self.cache.front().is_some_and(|sample| sample.seq <= through) {
            self.forget_oldest();
        }
        self.skip_hole();
        true
    }

    /// The relay's word on where this source stands, at the start of a connection. What of it was ours is
    /// acked; unsent samples move behind it. True when something was acked or moved.
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
        for sample in &mut self.cache {
            sample.seq += shift;
        }
        true
    }

    /// Numbers of samples that were dropped are not pending.
    fn skip_hole(&mut self) {
        if self.front > self.saved {
            self.front = self.front.max(self.cache_from());
        }
    }

    fn cache_from(&self) -> u64 {
        self.cache.front().map_or(self.next, |sample| sample.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mien_shared::{SkipReason, Skipped};

    fn fresh(shelf: Shelf) -> Ledger {
        Ledger::restore(shelf, Numbers::default(), None)
    }

    fn seqs(next: Next<'_>) -> Vec<u64> {
        match next {
            Next::Ready(samples) => samples.iter().map(|sample| sample.seq).collect(),
            Next::Nothing => Vec::new(),
            Next::OnDisk(from, to) => panic!("on disk {from}-{to}"),
        }
    }

    #[test]
    fn a_sample_is_sent_only_once_disk_and_mark_have_it() {
        let mut ledger = fresh(Shelf::Disk);
        for at in [10, 20] {
            ledger.push(Sample::new(0, at, Vec::new()));
        }
        assert_eq!(ledger.next_from(1, 9), Next::Nothing);
        ledger.saved(1);
        assert_eq!(ledger.next_from(1, 9), Next::Nothing);
        assert!(ledger.wants_mark());
        ledger.marked(1);
        assert_eq!(seqs(ledger.next_from(1, 9)), [1]);
        assert!(ledger.acked(1));
        assert!(!ledger.acked(1));
        assert_eq!(ledger.pending(), 1);
    }

    #[test]
    fn samples_that_were_never_sent_move_behind_another_devices() {
        let mut ledger = fresh(Shelf::Disk);
        for at in 0..3 {
            ledger.push(Sample::new(0, at, Vec::new()));
        }
        ledger.saved(2);
        assert!(ledger.welcomed(10));
        assert_eq!((ledger.front(), ledger.pending()), (11, 3));
        assert_eq!(ledger.numbers(), Numbers { offset: 10, last: 12, marked: 10, ..Numbers::default() });
        assert_eq!(ledger.key(11), 1);
        ledger.marked(12);
        assert_eq!(seqs(ledger.next_from(1, 9)), [11, 12]);
    }

    #[test]
    fn what_may_have_been_sent_is_not_sent_under_another_number() {
        let mut ledger =
            Ledger::restore(Shelf::Disk, Numbers { last: 9, marked: 7, ..Numbers::default() }, Some(4));
        assert_eq!(ledger.pending(), 6);
        assert!(ledger.welcomed(5));
        assert_eq!((ledger.front(), ledger.pending()), (6, 4));
        // Another device went on to 8 in the meantime: 6 and 7 may be among them, 8 and 9 are not.
        assert!(ledger.welcomed(8));
        assert_eq!((ledger.front(), ledger.pending(), ledger.numbers().last), (9, 2, 10));
    }

    #[test]
    fn a_backlog_is_read_back_from_the_disk() {
        let ledger = Ledger::restore(
            Shelf::Disk,
            Numbers { offset: 100, last: 900, marked: 900, ..Numbers::default() },
            Some(1),
        );
        assert_eq!(ledger.next_from(1, 256), Next::OnDisk(101, 356));
        assert_eq!(ledger.next_from(800, 256), Next::OnDisk(800, 900));
    }

    #[test]
    fn memory_keeps_the_newest_and_counts_the_rest() {
        let mut ledger = fresh(Shelf::Memory);
        for at in 0..MEMORY as u64 + 5 {
            ledger.push(Sample::new(0, at, Vec::new()));
        }
        assert_eq!((ledger.dropped(), ledger.pending(), ledger.front()), (5, MEMORY as u64, 6));
    }

    #[test]
    fn memory_that_runs_over_leaves_what_is_on_the_disk() {
        let mut ledger =
            Ledger::restore(Shelf::Disk, Numbers { last: 9, marked: 7, ..Numbers::default() }, Some(6));
        ledger.leave_disk();
        for at in 0..MEMORY as u64 + 5 {
            ledger.push(Sample::new(0, at, Vec::new()));
        }
        assert_eq!((ledger.dropped(), ledger.pending(), ledger.front()), (5, 4 + MEMORY as u64, 6));
        assert_eq!(ledger.next_from(6, 99), Next::OnDisk(6, 7), "the rest of the disk's has no mark yet");
        assert!(ledger.wants_mark());
        ledger.marked(9);
        assert_eq!(ledger.next_from(6, 99), Next::OnDisk(6, 9));
        assert_eq!(seqs(ledger.next_from(10, 2)), [15, 16]);
        ledger.acked(9);
        assert_eq!((ledger.front(), ledger.pending()), (15, MEMORY as u64));
    }

    #[test]
    fn memory_that_runs_over_keeps_what_may_have_been_sent() {
        let mut ledger = fresh(Shelf::Memory);
        for at in 0..MEMORY as u64 {
            ledger.push(Sample::new(0, at * 10, Vec::new()));
        }
        ledger.marked(3);
        for at in MEMORY as u64..MEMORY as u64 + 2 {
            ledger.push(Sample::new(0, at * 10, Vec::new()));
        }
        assert_eq!((ledger.dropped(), ledger.pending(), ledger.front()), (2, MEMORY as u64, 1));
        assert_eq!(seqs(ledger.next_from(1, 5)), [1, 2, 3, 6, 7]);
        let Next::Ready(samples) = ledger.next_from(4, 1) else { panic!("it is there") };
        assert_eq!(samples[0].skipped, [Skipped { reason: SkipReason::Full, ms: 20 }]);
        ledger.acked(3);
        assert_eq!((ledger.front(), ledger.pending()), (6, MEMORY as u64 - 3), "the gap is nobody's");
    }

    #[test]
    fn a_disk_that_does_not_keep_up_costs_the_samples_before_the_newest() {
        let mut ledger = fresh(Shelf::Disk);
        for at in 0..CACHE as u64 + 3 {
            ledger.push(Sample::new(0, at * 10, Vec::new()));
        }
        assert_eq!((ledger.dropped(), ledger.pending()), (3, CACHE as u64));
        ledger.saved(1);
        ledger.push(Sample::new(0, CACHE as u64 * 10 + 30, Vec::new()));
        assert_eq!(ledger.dropped(), 3);
        let [.., full, newest] = ledger.unsaved(CACHE)[..] else { panic!("a full cache") };
        assert_eq!(full.skipped, [Skipped { reason: SkipReason::Full, ms: 30 }]);
        assert_eq!(
            (full.at, full.seq),
            (CACHE as u64 * 10 + 20, CACHE as u64),
            "numbers go on without a gap"
        );
        assert_eq!((newest.skipped.len(), newest.seq), (0, CACHE as u64 + 1));
    }

    #[test]
    fn what_a_disk_does_not_give_back_is_a_gap() {
        let numbers = Numbers { last: 9, marked: 9, ..Numbers::default() };
        let mut ledger = Ledger::restore(Shelf::Disk, numbers, Some(4));
        ledger.push(Sample::new(0, 10, Vec::new()));
        ledger.give_up_disk_part();
        assert_eq!((ledger.dropped(), ledger.pending(), ledger.front()), (6, 1, 10));
    }
}
