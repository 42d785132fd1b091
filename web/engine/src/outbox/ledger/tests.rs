use super::*;
use mien_shared::{SkipReason, Skipped};

const IN_MEMORY: StorageMode = StorageMode::Memory { why: DatabaseFault::Unavailable };

fn fresh(storage: StorageMode) -> Ledger {
    Ledger::restore(storage, Numbers::default(), None)
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
    let mut ledger = fresh(StorageMode::Disk);
    for at in [10, 20] {
        ledger.push(Sample::new(0, at, Vec::new()));
    }
    assert_eq!(ledger.next_from(1, 9), Next::Nothing);
    ledger.saved(1);
    assert_eq!(ledger.next_from(1, 9), Next::Nothing);
    assert!(ledger.needs_mark());
    ledger.marked(1);
    assert_eq!(seqs(ledger.next_from(1, 9)), [1]);
    assert!(ledger.acked(1));
    assert!(!ledger.acked(1));
    assert_eq!(ledger.pending(), 1);
}

#[test]
fn samples_that_were_never_sent_move_behind_another_devices() {
    let mut ledger = fresh(StorageMode::Disk);
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
        Ledger::restore(StorageMode::Disk, Numbers { last: 9, marked: 7, ..Numbers::default() }, Some(4));
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
        StorageMode::Disk,
        Numbers { offset: 100, last: 900, marked: 900, ..Numbers::default() },
        Some(1),
    );
    assert_eq!(ledger.next_from(1, 256), Next::OnDisk(101, 356));
    assert_eq!(ledger.next_from(800, 256), Next::OnDisk(800, 900));
}

#[test]
fn memory_keeps_the_newest_and_counts_the_rest() {
    let mut ledger = fresh(IN_MEMORY);
    for at in 0..MAX_IN_MEMORY as u64 + 5 {
        ledger.push(Sample::new(0, at, Vec::new()));
    }
    assert_eq!((ledger.dropped(), ledger.pending(), ledger.front()), (5, MAX_IN_MEMORY as u64, 6));
}

#[test]
fn memory_that_runs_over_leaves_what_is_on_the_disk() {
    let mut ledger =
        Ledger::restore(StorageMode::Disk, Numbers { last: 9, marked: 7, ..Numbers::default() }, Some(6));
    ledger.leave_disk(DatabaseFault::Broken);
    for at in 0..MAX_IN_MEMORY as u64 + 5 {
        ledger.push(Sample::new(0, at, Vec::new()));
    }
    assert_eq!((ledger.dropped(), ledger.pending(), ledger.front()), (5, 4 + MAX_IN_MEMORY as u64, 6));
    assert_eq!(ledger.next_from(6, 99), Next::OnDisk(6, 7), "the rest of the disk's has no mark yet");
    assert!(ledger.needs_mark());
    ledger.marked(9);
    assert_eq!(ledger.next_from(6, 99), Next::OnDisk(6, 9));
    assert_eq!(seqs(ledger.next_from(10, 2)), [15, 16]);
    ledger.acked(9);
    assert_eq!((ledger.front(), ledger.pending()), (15, MAX_IN_MEMORY as u64));
}

#[test]
fn memory_that_runs_over_keeps_what_may_have_been_sent() {
    let mut ledger = fresh(IN_MEMORY);
    for at in 0..MAX_IN_MEMORY as u64 {
        ledger.push(Sample::new(0, at * 10, Vec::new()));
    }
    ledger.marked(3);
    for at in MAX_IN_MEMORY as u64..MAX_IN_MEMORY as u64 + 2 {
        ledger.push(Sample::new(0, at * 10, Vec::new()));
    }
    assert_eq!((ledger.dropped(), ledger.pending(), ledger.front()), (2, MAX_IN_MEMORY as u64, 1));
    assert_eq!(seqs(ledger.next_from(1, 5)), [1, 2, 3, 6, 7]);
    let Next::Ready(samples) = ledger.next_from(4, 1) else { panic!("it is there") };
    assert_eq!(samples[0].skipped, [Skipped { reason: SkipReason::Full, ms: 20 }]);
    ledger.acked(3);
    assert_eq!((ledger.front(), ledger.pending()), (6, MAX_IN_MEMORY as u64 - 3), "the gap is nobody's");
}

#[test]
fn a_disk_that_does_not_keep_up_costs_the_samples_before_the_newest() {
    let mut ledger = fresh(StorageMode::Disk);
    for at in 0..MAX_CACHED as u64 + 3 {
        ledger.push(Sample::new(0, at * 10, Vec::new()));
    }
    assert_eq!((ledger.dropped(), ledger.pending()), (3, MAX_CACHED as u64));
    ledger.saved(1);
    ledger.push(Sample::new(0, MAX_CACHED as u64 * 10 + 30, Vec::new()));
    assert_eq!(ledger.dropped(), 3);
    let [.., full, newest] = ledger.unsaved(MAX_CACHED)[..] else { panic!("a full cache") };
    assert_eq!(full.skipped, [Skipped { reason: SkipReason::Full, ms: 30 }]);
    assert_eq!(
        (full.at, full.seq),
        (MAX_CACHED as u64 * 10 + 20, MAX_CACHED as u64),
        "numbers go on without a gap"
    );
    assert_eq!((newest.skipped.len(), newest.seq), (0, MAX_CACHED as u64 + 1));
}

#[test]
fn what_a_disk_does_not_give_back_is_a_gap() {
    let numbers = Numbers { last: 9, marked: 9, ..Numbers::default() };
    let mut ledger = Ledger::restore(StorageMode::Disk, numbers, Some(4));
    ledger.push(Sample::new(0, 10, Vec::new()));
    ledger.give_up_disk_part();
    assert_eq!((ledger.dropped(), ledger.pending(), ledger.front()), (6, 1, 10));
}
