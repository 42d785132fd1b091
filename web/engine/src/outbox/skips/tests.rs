//! Whatever is lost, the time of a recording adds up in what is stored.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::browser::DatabaseFault;
use crate::outbox::ledger::{Ledger, MAX_CACHED, MAX_IN_MEMORY, Next, Numbers};
use crate::outbox::storage::StorageMode;

const IN_MEMORY: StorageMode = StorageMode::Memory { why: DatabaseFault::Unavailable };

/// By reason.
type Account = BTreeMap<SkipReason, i64>;

fn tally(account: &mut Account, list: &[Skipped]) {
    for skipped in list {
        *account.entry(skipped.reason).or_default() += skipped.ms;
    }
}

fn any_skipped() -> impl Strategy<Value = Vec<Skipped>> {
    let entry = (0..SkipReason::ALL.len(), 1..5_000_i64, any::<bool>()).prop_map(|(reason, ms, back)| {
        let reason = SkipReason::ALL[reason];
        Skipped { reason, ms: if back && reason == SkipReason::ClockStep { -ms } else { ms } }
    });
    prop_oneof![8 => Just(Vec::new()), 1 => entry.prop_map(|entry| vec![entry])]
}

#[derive(Clone, Debug)]
enum Step {
    /// This many samples: how long each stands for, and what the first of them reports as skipped.
    Push(usize, u64, Vec<Skipped>),
    /// The disk writes this many or, without a disk, this many are sent.
    Take(usize),
    /// Everything taken so far is acked.
    Ack,
    LeaveDisk,
}

fn any_step(room: usize) -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..room / 2, 1..200_u64, any_skipped()).prop_map(|(count, each, skipped)| Step::Push(count, each, skipped)),
        3 => (1..room / 2).prop_map(Step::Take),
        2 => Just(Step::Ack),
        1 => Just(Step::LeaveDisk),
    ]
}

/// The course of a recording: what was given, and what the relay has of it in the end.
struct Story {
    ledger: Ledger,
    given: Vec<Sample>,
    stored: Vec<Sample>,
    clock: i64,
}

impl Story {
    fn push(&mut self, each: u64, skipped: Vec<Skipped>) {
        self.clock += each as i64 + sum(&skipped);
        let name = Some(self.given.len() as u64);
        let sample = Sample { media_ms: name, skipped, ..Sample::new(0, self.clock as u64, Vec::new()) };
        self.given.push(sample.clone());
        self.ledger.push(sample);
    }

    /// A sample remains as it was when it was first written or sent.
    fn take(&mut self, count: usize) {
        let taken: Vec<Sample> = if self.ledger.is_on_disk() {
            self.ledger.unsaved(count).into_iter().cloned().collect()
        } else {
            let after = self.stored.last().map_or(0, |sample| sample.seq);
            match self.ledger.next_from(after + 1, count) {
                Next::Ready(samples) => samples.into_iter().cloned().collect(),
                // It was taken when it was written.
                Next::OnDisk(..) | Next::Nothing => Vec::new(),
            }
        };
        let Some(last) = taken.last().map(|sample| sample.seq) else { return };
        if self.ledger.is_on_disk() {
            self.ledger.saved(last);
        }
        self.ledger.marked(last);
        self.stored.extend(taken);
    }

    fn ack(&mut self) {
        if let Some(last) = self.stored.last() {
            self.ledger.acked(last.seq);
        }
    }
}

fn run(storage: StorageMode, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let ledger = Ledger::restore(storage, Numbers::default(), None);
    let mut story = Story { ledger, given: Vec::new(), stored: Vec::new(), clock: 1_763_907_600_000 };
    for step in steps {
        match step {
            Step::Push(count, each, skipped) => {
                story.push(each, skipped);
                (1..count).for_each(|_| story.push(each, Vec::new()));
            }
            Step::Take(count) => story.take(count),
            Step::Ack => story.ack(),
            Step::LeaveDisk => story.ledger.leave_disk(DatabaseFault::Broken),
        }
    }
    while story.ledger.pending() > 0 {
        story.take(MAX_CACHED);
        story.ack();
    }
    let Story { ledger, given, stored, .. } = story;
    let names: BTreeSet<Option<u64>> = stored.iter().map(|sample| sample.media_ms).collect();
    prop_assert_eq!(names.len(), stored.len(), "each once");
    prop_assert_eq!((given.len() - stored.len()) as u64, ledger.dropped());
    prop_assert!(
        stored.windows(2).all(|pair| pair[0].seq < pair[1].seq && pair[0].media_ms < pair[1].media_ms)
    );
    let (mut expected, mut told, mut lost) = (Account::new(), Account::new(), 0);
    for (place, sample) in given.iter().enumerate() {
        tally(&mut expected, &sample.skipped);
        if !names.contains(&sample.media_ms) && place > 0 {
            lost += signed(sample.at) - signed(given[place - 1].at) - sum(&sample.skipped);
        }
    }
    *expected.entry(SkipReason::Full).or_default() += lost;
    for sample in &stored {
        tally(&mut told, &sample.skipped);
    }
    expected.retain(|_, ms| *ms != 0);
    told.retain(|_, ms| *ms != 0);
    prop_assert_eq!(told, expected);
    for sample in &stored {
        prop_assert_eq!(sample.validate(), Ok(()));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn time_adds_up_where_a_disk_does_not_keep_up(steps in prop::collection::vec(any_step(MAX_CACHED), 1..40)) {
        run(StorageMode::Disk, steps)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, ..ProptestConfig::default() })]

    #[test]
    fn time_adds_up_where_memory_runs_over(steps in prop::collection::vec(any_step(MAX_IN_MEMORY), 1..20)) {
        run(IN_MEMORY, steps)?;
    }
}

#[test]
fn a_clock_that_was_set_there_and_back_is_no_step() {
    let step = |ms| vec![Skipped { reason: SkipReason::ClockStep, ms }];
    let lost = Sample { skipped: step(-2_000), ..Sample::new(1, 3_000, Vec::new()) };
    let mut next = Sample { skipped: step(2_000), ..Sample::new(2, 5_100, Vec::new()) };
    pass_on(&lost, 4_900, &mut next);
    assert_eq!(next.skipped, [Skipped { reason: SkipReason::Full, ms: 100 }]);
}
