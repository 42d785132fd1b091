//! What becomes of each sample of a commit: decided from what its source has been answered for.
//!
//! Pure: a backend reads, under the locks under which it also writes, what [`Commit::begin`] and [`Commit::learn`] ask
//! for, and writes what [`Decision`] says in the same transaction. So a decision is right across reconnects, takeovers,
//! restarts and replicas, and is the same for both backends.

use std::collections::{BTreeMap, HashMap, HashSet};

use mien_shared::Sample;

use super::model::{Batch, Fate, Item, Outcome, SourceKey, Take};
use super::value::unsigned;

/// Gaps of a source that are kept separately. Beyond that, the last one is extended over what lies between it and the
/// next: a source that skips every second seq then costs no more rows, and a client with that many gaps learns where
/// the first of them are.
pub(super) const MAX_GAPS: u64 = 10_000;

/// What a source has been answered for, as the store keeps it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub through: u64,
    pub stored: u64,
    pub rejected: u64,
    /// `at` of the earliest and of the latest stored sample, Unix milliseconds.
    pub first_at: Option<u64>,
    pub last_at: Option<u64>,
    /// The furthest that `at` ever went back behind the latest one, milliseconds: how imprecise a range of time is as a
    /// range of seqs.
    pub disorder_ms: u64,
    /// How many gaps are kept.
    pub gaps: u64,
    /// The most faces of one sample that have landmarks.
    pub landmarks: u64,
}

/// A gap as the store keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// Both ends inclusive.
    pub seqs: [u64; 2],
    /// It stands for several, and some seqs in it were stored or rejected.
    pub merged: bool,
}

/// What a backend found about a late seq: its source and seq, whether it is stored, and the gap that it lies in, if any
/// (both ends, and whether it is a merged one).
pub(super) type LateRow = (i64, i64, bool, Option<i64>, Option<i64>, Option<bool>);

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
    /// Progress of the sources that changed, by key.
    pub sources: Vec<(SourceKey, Progress)>,
    /// First seqs of gaps that ended or changed. To be deleted before `new_gaps` are added.
    pub old_gaps: Vec<(SourceKey, u64)>,
    /// Both ends inclusive.
    pub new_gaps: Vec<(SourceKey, [u64; 2])>,
    /// Where the last gap of a source ends now; from then on it is a merged one. To be done last.
    pub grown_gaps: Vec<(SourceKey, u64)>,
}

#[derive(Debug)]
struct Source {
    progress: Progress,
    changed: bool,
    /// Whether some seq comes after a higher one: only then is it recorded which ones are durable.
    late: bool,
    durable: HashSet<u64>,
    /// Gaps by first seq: as they were stored, and as they are now.
    old_gaps: BTreeMap<u64, u64>,
    gaps: BTreeMap<u64, u64>,
    /// Where the last gap ends, if it has grown.
    grown: Option<u64>,
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

    /// What was found about the late seqs.
    pub(super) fn learn_rows(&mut self, rows: Vec<LateRow>) {
        for (key, seq, stored, first, last, merged) in rows {
            let gap = first.zip(last).map(|(first, last)| Gap {
                seqs: [unsigned(first), unsigned(last)],
                merged: merged.unwrap_or_default(),
            });
            self.learn(SourceKey(key), unsigned(seq), stored, gap);
        }
    }

    /// Whether a late seq is stored, and the gap that it lies in.
    pub(super) fn learn(&mut self, key: SourceKey, seq: u64, stored: bool, gap: Option<Gap>) {
        let Some(source) = self.sources.get_mut(&key) else { return };
        if stored {
            source.durable.insert(seq);
        }
        // A merged gap stays as it is: which of its seqs were rejected before is unknown.
        if let Some(Gap { seqs: [first, last], merged: false }) = gap {
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
            decision.grown_gaps.extend(source.grown.map(|last| (key, last)));
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
            grown: None,
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
                self.progress.store(sample);
                if self.late {
                    self.durable.insert(seq);
                }
                Fate::Stored
            }
        };
        if !is_late {
            if seq > through + 1 {
                self.open_gap(through + 1, seq - 1);
            }
            self.progress.through = seq;
            self.changed = true;
        }
        // A seq is counted as rejected once: when it is new, or leaves a gap. Sent again, it is rejected again
        // without being counted.
        if matches!(fate, Fate::Invalid | Fate::OutOfOrder)
            && (!is_late || (!is_durable && self.close_gap(seq)))
        {
            self.progress.rejected += 1;
            self.changed = true;
        }
        fate
    }

    fn open_gap(&mut self, first: u64, last: u64) {
        if self.progress.gaps < MAX_GAPS {
            self.gaps.insert(first, last);
            self.progress.gaps += 1;
        } else {
            self.grown = Some(last);
        }
    }

    /// Takes one seq out of the gap that it is in; false if it is in none, or the gap stays as it is.
    fn close_gap(&mut self, seq: u64) -> bool {
        let gap = self.gaps.range(..=seq).next_back().map(|(first, last)| (*first, *last));
        let Some((first, last)) = gap.filter(|(_, last)| seq <= *last) else { return false };
        let parts = u64::from(first < seq) + u64::from(seq < last);
        // The last one may have just been extended over it; and at the limit, none is split in two.
        if self.grown.is_some() || (parts == 2 && self.progress.gaps >= MAX_GAPS) {
            return false;
        }
        self.progress.gaps = (self.progress.gaps + parts).saturating_sub(1);
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
    fn store(&mut self, sample: &Sample) {
        let at = sample.at;
        self.stored += 1;
        let landmarks = sample.faces.iter().filter(|face| face.landmarks.is_some()).count();
        self.landmarks = self.landmarks.max(landmarks as u64);
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
mod tests;
