//! What is written to the disk and when: one write at a time. Pure.

use std::time::Duration;

use mien_shared::Sample;

use super::effect::Save;
use super::ledger::{Ledger, MAX_CACHED, Numbers};
use super::storage::StorageFault;
use crate::clock::Steady;

/// Maximum rows per write; fewer than the cache holds, as its newest may be replaced in the meantime.
const MAX_ROWS: usize = 512;
const _: () = assert!(MAX_ROWS < MAX_CACHED);
/// How long samples gather before one write takes them.
pub(crate) const GATHER: Duration = Duration::from_millis(100);

/// A write that the disk has not answered yet.
#[derive(Clone, Copy, Debug)]
struct Writing {
    saved: u64,
    marked: u64,
    /// Of the numbers as they were: a write that was under way while samples moved must not count for the new ones.
    offset: u64,
}

/// What the disk's answer calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Accepted,
    /// The disk has the numbers from before the samples moved.
    Outdated,
    TakenOver,
}

#[derive(Debug, Default)]
pub(super) struct Writer {
    writing: Option<Writing>,
    /// When what had gathered was last taken.
    gathered_at: Option<Steady>,
}

impl Writer {
    pub(super) fn is_busy(&self) -> bool {
        self.writing.is_some()
    }

    pub(super) fn gathered_at(&self) -> Option<Steady> {
        self.gathered_at
    }

    /// What has gathered need not wait for more.
    pub(super) fn hurry(&mut self) {
        self.gathered_at = None;
    }

    /// True if what has gathered is to be taken now.
    pub(super) fn is_due(&mut self, now: Steady) -> bool {
        let early = self.gathered_at.is_some_and(|before| now < before + GATHER);
        let due = !self.is_busy() && !early;
        if due {
            self.gathered_at = Some(now);
        }
        due
    }

    /// The next rows, if there are any.
    pub(super) fn rows(ledger: &Ledger) -> Option<Vec<(u64, Sample)>> {
        let rows = rows(ledger, MAX_ROWS);
        (!rows.is_empty()).then_some(rows)
    }

    /// Begins a write of these rows, or of the numbers alone. While connected, the mark is written along: one
    /// transaction for both.
    pub(super) fn begin(&mut self, ledger: &Ledger, rows: Vec<(u64, Sample)>, is_connected: bool) -> Save {
        let mut numbers = ledger.numbers();
        if let Some((_, newest)) = rows.last() {
            numbers.last = newest.seq;
        }
        if is_connected {
            numbers.marked = numbers.marked.max(numbers.last);
        }
        self.writing = Some(Writing { saved: numbers.last, marked: numbers.marked, offset: numbers.offset });
        Save { rows, numbers }
    }

    /// The disk's answer to the write under way; `None` if there was none.
    pub(super) fn answered(
        &mut self,
        ledger: &mut Ledger,
        result: Result<(), StorageFault>,
    ) -> Option<Answer> {
        let writing = self.writing.take()?;
        let moved = ledger.numbers().offset - writing.offset;
        match result {
            Ok(()) => {
                ledger.saved(writing.saved + moved);
                if moved > 0 {
                    return Some(Answer::Outdated);
                }
                ledger.marked(writing.marked);
            }
            Err(StorageFault::TakenOver) => return Some(Answer::TakenOver),
            Err(StorageFault::Database(fault)) if ledger.is_on_disk() => ledger.leave_disk(fault),
            // The mark for what the disk still holds cannot be kept: perhaps sent twice is better than never.
            Err(StorageFault::Database(_)) if moved == 0 => ledger.marked(writing.marked),
            Err(StorageFault::Database(_)) => {}
        }
        Some(Answer::Accepted)
    }

    /// What the disk lacks if the recorder goes now: rows, and the numbers that belong to them. A write that is under
    /// way counts as missing, since it may be cut off; written twice, a row is the same.
    pub(super) fn unwritten(&self, ledger: &Ledger) -> Option<Save> {
        if !ledger.is_on_disk() {
            return None;
        }
        let rows = rows(ledger, usize::MAX);
        let mut numbers: Numbers = ledger.numbers();
        numbers.last = rows.last()?.1.seq;
        // If that write is not cut off, its mark must stand: it reaches the disk before this one.
        if let Some(writing) = self.writing.filter(|writing| writing.offset == numbers.offset) {
            numbers.marked = numbers.marked.max(writing.marked);
        }
        Some(Save { rows, numbers })
    }
}

/// The oldest samples that are not on the disk, by key.
fn rows(ledger: &Ledger, count: usize) -> Vec<(u64, Sample)> {
    ledger.unsaved(count).into_iter().map(|sample| (ledger.key(sample.seq), sample.clone())).collect()
}
