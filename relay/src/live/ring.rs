//! The last committed batches of one source, ready to send.

use std::collections::VecDeque;

use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Batches that are remembered. At five messages a second that is over ten seconds: enough for a watcher
/// with a hiccup, little enough for a thousand sessions.
const MAX_BATCHES: usize = 64;
/// Bytes that are remembered, for sources with many faces.
const MAX_BYTES: usize = 256 * 1024;
/// Batches handed out at a time.
const MAX_TAKEN: usize = 16;

/// The stored samples of one committed batch, as a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedBatch {
    /// The source's `through` before and after the batch.
    pub before: u64,
    pub through: u64,
    /// Seq of the first sample in it.
    pub first: u64,
    pub text: Utf8Bytes,
}

#[derive(Debug, Default)]
pub(super) struct Ring {
    batches: VecDeque<CommittedBatch>,
    bytes: usize,
    through: u64,
}

/// What a ring has after some seq.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum After {
    Batches {
        batches: Vec<CommittedBatch>,
        /// Whether there is more after them.
        more: bool,
    },
    /// There is more than the ring remembers; all of it is committed up to `through`.
    Forgotten { through: u64 },
}

impl Ring {
    /// Remembers a batch. One that comes after a later one is dropped: nothing continues from it here, and those
    /// who need it read the store.
    pub(super) fn push(&mut self, batch: CommittedBatch) {
        if batch.through <= self.through {
            return;
        }
        self.through = batch.through;
        self.bytes += batch.text.len();
        self.batches.push_back(batch);
        while self.batches.len() > MAX_BATCHES || self.bytes > MAX_BYTES {
            let Some(oldest) = self.batches.pop_front() else { break };
            self.bytes -= oldest.text.len();
        }
    }

    /// There is more in the store than was pushed; whether that is news.
    pub(super) fn learn(&mut self, through: u64) -> bool {
        let news = through > self.through;
        self.through = self.through.max(through);
        news
    }

    /// What comes after this seq; `None` if nothing does.
    pub(super) fn after(&self, seq: u64) -> Option<After> {
        if seq >= self.through {
            return None;
        }
        let start = self.batches.partition_point(|batch| batch.through <= seq);
        let mut reached = seq;
        let batches: Vec<CommittedBatch> = self
            .batches
            .range(start..)
            .take(MAX_TAKEN)
            .take_while(|batch| {
                // Nothing lies between what is reached and the batch, and it is not reached into the batch.
                let continues = batch.before <= reached && reached < batch.first;
                reached = batch.through;
                continues
            })
            .cloned()
            .collect();
        Some(match batches.last() {
            None => After::Forgotten { through: self.through },
            Some(last) => After::Batches { more: last.through < self.through, batches },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn batch(before: u64, first: u64, through: u64, bytes: usize) -> CommittedBatch {
        CommittedBatch { before, through, first, text: "x".repeat(bytes).into() }
    }

    #[test]
    fn memory_is_bounded_both_ways() {
        let mut ring = Ring::default();
        for seq in 1..=1_000 {
            ring.push(batch(seq - 1, seq, seq, 10));
        }
        assert_eq!(ring.batches.len(), MAX_BATCHES);
        assert_eq!(ring.after(1_000), None);
        assert_eq!(ring.after(0), Some(After::Forgotten { through: 1_000 }));
        ring.push(batch(1_000, 1_001, 1_001, MAX_BYTES + 1));
        assert_eq!((ring.batches.len(), ring.bytes), (0, 0));
        assert_eq!(ring.after(1_000), Some(After::Forgotten { through: 1_001 }));
    }

    #[test]
    fn a_hole_is_read_from_the_store() {
        let mut ring = Ring::default();
        ring.push(batch(0, 1, 2, 1));
        ring.push(batch(4, 5, 6, 1));
        ring.push(batch(2, 3, 4, 1));
        assert_eq!(ring.batches.len(), 2, "it came too late");
        assert!(matches!(ring.after(0), Some(After::Batches { batches, more: true }) if batches.len() == 1));
        assert_eq!(ring.after(2), Some(After::Forgotten { through: 6 }));
        assert!(matches!(ring.after(4), Some(After::Batches { batches, more: false }) if batches.len() == 1));
        assert!(!ring.learn(6), "known");
        assert!(ring.learn(9));
        assert_eq!(ring.after(6), Some(After::Forgotten { through: 9 }));
        ring.push(batch(9, 10, 11, 1));
        assert!(matches!(ring.after(9), Some(After::Batches { .. })));
    }

    proptest! {
        /// Whatever the seq and the batches: what is handed out begins right after the seq, and leaves
        /// nothing out.
        #[test]
        fn pieces_continue_the_seq(steps in proptest::collection::vec((0..3_u64, 1..5_u64), 1..100), seq in 0..400_u64) {
            let mut ring = Ring::default();
            let mut through = 0;
            for (rejected, stored) in steps {
                ring.push(batch(through, through + rejected + 1, through + rejected + stored, 1));
                through += rejected + stored;
            }
            match ring.after(seq) {
                None => prop_assert!(seq >= through),
                Some(After::Forgotten { through: known }) => prop_assert_eq!(known, through),
                Some(After::Batches { batches, more }) => {
                    let mut reached = seq;
                    for batch in batches {
                        prop_assert!(batch.before <= reached && reached < batch.first);
                        reached = batch.through;
                    }
                    prop_assert_eq!(more, reached < through);
                }
            }
        }
    }
}
