//! What becomes of each sample of a commit: decided from what its source has been answered for.
//!
//! Pure: a backend reads, under the locks that it writes under, what [`Commit::begin`] and [`Commit::learn`]
//! ask for, and writes what [`Decision`] says in the same transaction. So a decision is right across
//! reconnects, takeovers, restarts and replicas, and there is one of it for every backend.

use std::collections::{BTreeMap, HashMap, HashSet};

use mien_shared::Sample;

use super::{Batch, Fate, Item, Outcome, SourceKey, Take};

/// What a source has been answered for, as the store keeps it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub through: u64,
    pub stored: u64,
    pub rejected: u64,
    /// `at` of the earliest and of the latest stored sample, Unix milliseconds.
    pub first_at: Option<u64>,
    pub last_at: Option<u64>,
    /// The furthest that `at` ever went back behind the latest one, milliseconds: how far a range of time can
    /// be off as a range of seqs.
    pub disorder_ms: u64,
}

/// A commit while it is decided.
#[derive(Debug)]
pub(super) struct Commit<'a> {
    batches: &'a [Batch],
    /// Those that still take samples.
    sources: HashMap<SourceKey, Source>,
}

/// What a commit writes, and what it answers.
#[derive(Debug, Default)]
pub(super) struct Decision<'a> {
    /// One a batch, in order.
    pub outcomes: Vec<Outcome>,
    pub samples: Vec<(SourceKey, &'a Sample)>,
    /// Those that changed, by key.
    pub sources: Vec<(SourceKey, Progress)>,
    /// First seqs of gaps that are no more, or not as they were. To be deleted before `new_gaps` are added.
    pub old_gaps: Vec<(SourceKey, u64)>,
    /// Both ends inclusive.
    pub new_gaps: Vec<(SourceKey, [u64; 2])>,
}

#[derive(Debug)]
struct Source {
    progress: Progress,
    changed: bool,
    /// Whether some seq comes after a higher one: only then is it noted what is durable.
    late: bool,
    durable: HashSet<u64>,
    /// Gaps by first seq: those learnt, and as they become.
    old_gaps: BTreeMap<u64, u64>,
    gaps: BTreeMap<u64, u64>,
}

/// The sources of these batches, each once, in the order in which every commit locks them.
pub(super) fn source_keys(batches: &[Batch]) -> Vec<i64> {
    let mut keys: Vec<i64> = batches.iter().map(|batch| batch.source.0).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

impl<'a> Commit<'a> {
    /// `known` has the sources that exist and whose session is active; batches of others are answered with
    /// [`Outcome::Ended`].
    pub(super) fn begin(
        batches: &'a [Batch],
        known: impl IntoIterator<Item = (SourceKey, Progress)>,
    ) -> Self {
        let sources = known.into_iter().map(|(key, progress)| (key, Source::new(progress))).collect();
        Self { batches, sources }
    }

    /// Seqs that come after a higher one of their source. Each must be [learnt](Self::learn) about.
    pub(super) fn late(&mut self) -> Vec<(SourceKey, u64)> {
        let mut throughs: HashMap<SourceKey, u64> = HashMap::new();
        let mut late = Vec::new();
        for batch in self.batches {
            let Some(source) = self.sources.get_mut(&batch.source) else { continue };
            let through = throughs.entry(batch.source).or_insert(source.progress.through);
            for seq in batch.items.iter().map(seq_of) {
                if seq <= *through {
                    late.push((batch.source, seq));
                    source.late = true;
                } else {
                    *through = seq;
                }
            }
        }
        late
    }

    /// Whether a late seq is stored, and the gap that it lies in.
    pub(super) fn learn(&mut self, key: SourceKey, seq: u64, stored: bool, gap: Option<[u64; 2]>) {
        let Some(source) = self.sources.get_mut(&key) else { return };
        if stored {
            source.durable.insert(seq);
        }
        if let Some([first, last]) = gap {
            source.old_gaps.insert(first, last);
            source.gaps.insert(first, last);
        }
    }

    pub(super) fn decide(mut self) -> Decision<'a> {
        let mut decision = Decision::default();
        decision.outcomes.reserve(self.batches.len());
        for batch in self.batches {
            let outcome = match self.sources.get_mut(&batch.source) {
                Some(source) => Outcome::Taken(source.take(batch, &mut decision.samples)),
                None => Outcome::Ended,
            };
            decision.outcomes.push(outcome);
        }
        for (key, source) in self.sources {
            let gone = source.old_gaps.iter().filter(|(first, last)| source.gaps.get(first) != Some(*last));
            decision.old_gaps.extend(gone.map(|(first, _)| (key, *first)));
            let new = source.gaps.iter().filter(|(first, last)| source.old_gaps.get(first) != Some(*last));
            decision.new_gaps.extend(new.map(|(first, last)| (key, [*first, *last])));
            if source.changed {
                decision.sources.push((key, source.progress));
            }
        }
        decision.sources.sort_unstable_by_key(|(key, _)| *key);
        decision
    }
}

impl Source {
    fn new(progress: Progress) -> Self {
        Self {
            progress,
            changed: false,
            late: false,
            durable: HashSet::new(),
            old_gaps: BTreeMap::new(),
            gaps: BTreeMap::new(),
        }
    }

    /// Decides on each sample of a batch. New samples go to `samples`.
    fn take<'a>(&mut self, batch: &'a Batch, samples: &mut Vec<(SourceKey, &'a Sample)>) -> Take {
        let before = self.progress.through;
        let fates = batch
            .items
            .iter()
            .map(|item| {
                let fate = self.fate(item);
                if let (Fate::Stored, Ok(sample)) = (fate, item) {
                    samples.push((batch.source, sample));
                }
                fate
            })
            .collect();
        Take { before, through: self.progress.through, fates }
    }

    fn fate(&mut self, item: &Item) -> Fate {
        let seq = seq_of(item);
        let through = self.progress.through;
        let is_late = seq <= through;
        let is_durable = is_late && self.durable.contains(&seq);
        let fate = match item {
            Err(_) => Fate::Invalid,
            Ok(_) if is_durable => Fate::Duplicate,
            Ok(_) if is_late => Fate::OutOfOrder,
            Ok(sample) => {
                self.progress.store(sample.at);
                if self.late {
                    self.durable.insert(seq);
                }
                Fate::Stored
            }
        };
        if !is_late {
            if seq > through + 1 {
                self.gaps.insert(through + 1, seq - 1);
            }
            self.progress.through = seq;
            self.changed = true;
        }
        // A seq is counted as rejected once: when it is new, or leaves a gap. Asked again it is refused again,
        // which changes nothing.
        if matches!(fate, Fate::Invalid | Fate::OutOfOrder)
            && (!is_late || (!is_durable && self.close_gap(seq)))
        {
            self.progress.rejected += 1;
            self.changed = true;
        }
        fate
    }

    /// Takes one seq out of the gap that it is in; false where it is in none.
    fn close_gap(&mut self, seq: u64) -> bool {
        let gap = self.gaps.range(..=seq).next_back().map(|(first, last)| (*first, *last));
        let Some((first, last)) = gap.filter(|(_, last)| seq <= *last) else { return false };
        self.gaps.remove(&first);
        if first < seq {
            self.gaps.insert(first, seq - 1);
        }
        if seq < last {
            self.gaps.insert(seq + 1, last);
        }
        true
    }
}

impl Progress {
    fn store(&mut self, at: u64) {
        self.stored += 1;
        self.disorder_ms = self.disorder_ms.max(self.last_at.map_or(0, |last| last.saturating_sub(at)));
        self.first_at = Some(self.first_at.map_or(at, |first| first.min(at)));
        self.last_at = Some(self.last_at.map_or(at, |last| last.max(at)));
    }
}

fn seq_of(item: &Item) -> u64 {
    match item {
        Ok(sample) => sample.seq,
        Err(refused) => refused.seq,
    }
}

#[cfg(test)]
mod tests {
    use mien_shared::protocol::RefusedSample;

    use super::*;

    const SOURCE: SourceKey = SourceKey(7);

    fn batch(items: &[(u64, u64)]) -> Batch {
        let items = items.iter().map(|&(seq, at)| Ok(Sample::new(seq, at, Vec::new())));
        Batch { source: SOURCE, items: items.collect() }
    }

    fn refused(seq: u64) -> Item {
        Err(RefusedSample { seq, detail: String::new() })
    }

    fn fates(decision: &Decision<'_>) -> Vec<Vec<Fate>> {
        let fates = |outcome: &Outcome| match outcome {
            Outcome::Taken(take) => take.fates.clone(),
            Outcome::Ended => Vec::new(),
        };
        decision.outcomes.iter().map(fates).collect()
    }

    #[test]
    fn a_jump_leaves_a_gap_and_time_may_go_back() {
        let batches = [batch(&[(1, 100), (2, 90)]), batch(&[(5, 95)])];
        let mut commit = Commit::begin(&batches, [(SOURCE, Progress::default())]);
        assert!(commit.late().is_empty());
        let decision = commit.decide();
        assert_eq!(fates(&decision), [vec![Fate::Stored; 2], vec![Fate::Stored]]);
        assert_eq!(decision.new_gaps, [(SOURCE, [3, 4])]);
        let progress = Progress {
            through: 5,
            stored: 3,
            rejected: 0,
            first_at: Some(90),
            last_at: Some(100),
            disorder_ms: 10,
        };
        assert_eq!(decision.sources, [(SOURCE, progress)]);
    }

    #[test]
    fn what_is_late_is_a_duplicate_or_leaves_its_gap() {
        let mut late = batch(&[(2, 0), (5, 0), (5, 0)]);
        late.items.push(refused(9));
        late.items.push(refused(2));
        let batches = [late];
        let progress = Progress { through: 10, stored: 6, ..Progress::default() };
        let mut commit = Commit::begin(&batches, [(SOURCE, progress)]);
        assert_eq!(commit.late().iter().map(|(_, seq)| *seq).collect::<Vec<_>>(), [2, 5, 5, 9, 2]);
        commit.learn(SOURCE, 2, true, None);
        commit.learn(SOURCE, 5, false, Some([4, 6]));
        commit.learn(SOURCE, 9, false, Some([9, 9]));
        let decision = commit.decide();
        let expected = [Fate::Duplicate, Fate::OutOfOrder, Fate::OutOfOrder, Fate::Invalid, Fate::Invalid];
        assert_eq!(fates(&decision), [expected]);
        assert!(decision.samples.is_empty());
        assert_eq!(decision.old_gaps, [(SOURCE, 4), (SOURCE, 9)]);
        assert_eq!(decision.new_gaps, [(SOURCE, [4, 4]), (SOURCE, [6, 6])]);
        assert_eq!(decision.sources, [(SOURCE, Progress { rejected: 2, ..progress })]);
    }

    #[test]
    fn late_within_one_commit_counts_what_the_commit_took() {
        let batches = [batch(&[(1, 0), (4, 0)]), batch(&[(4, 0), (3, 0), (5, 0)])];
        let mut commit = Commit::begin(&batches, [(SOURCE, Progress::default())]);
        assert_eq!(commit.late(), [(SOURCE, 4), (SOURCE, 3)]);
        let decision = commit.decide();
        assert_eq!(fates(&decision)[1], [Fate::Duplicate, Fate::OutOfOrder, Fate::Stored]);
        assert_eq!(decision.new_gaps, [(SOURCE, [2, 2])]);
    }

    #[test]
    fn a_repeated_commit_changes_nothing() {
        let batches = [batch(&[(1, 0), (2, 0)])];
        let progress = Progress { through: 2, stored: 2, ..Progress::default() };
        let mut commit = Commit::begin(&batches, [(SOURCE, progress)]);
        for (key, seq) in commit.late() {
            commit.learn(key, seq, true, None);
        }
        let decision = commit.decide();
        assert_eq!(fates(&decision), [[Fate::Duplicate; 2]]);
        assert!(decision.samples.is_empty() && decision.sources.is_empty() && decision.new_gaps.is_empty());
    }

    #[test]
    fn an_unknown_source_has_ended() {
        let batches = [batch(&[(1, 0)])];
        assert_eq!(Commit::begin(&batches, []).decide().outcomes, [Outcome::Ended]);
    }
}
