//! The newest samples, in memory and in order of seq. What is dropped leaves its time to its successor (`skips`). Pure.

use std::collections::VecDeque;

use mien_shared::Sample;

use super::skips;

/// There may be gaps in the seqs.
#[derive(Debug, Default)]
pub(super) struct Cache {
    samples: VecDeque<Sample>,
    /// Where the time of the oldest sample begins, once something came before it.
    begin: Option<i64>,
}

impl Cache {
    pub(super) fn len(&self) -> usize {
        self.samples.len()
    }

    pub(super) fn first_seq(&self) -> Option<u64> {
        self.samples.front().map(|sample| sample.seq)
    }

    pub(super) fn push(&mut self, sample: Sample) {
        self.samples.push_back(sample);
    }

    pub(super) fn forget_oldest(&mut self) {
        self.begin = self.samples.pop_front().as_ref().map(skips::after).or(self.begin);
    }

    /// Drops the newest sample; `successor` accounts for its time. The seq of what was dropped.
    pub(super) fn drop_newest(&mut self, successor: &mut Sample) -> Option<u64> {
        let lost = self.samples.pop_back()?;
        let begin = self.begin_of(self.samples.len(), &lost);
        skips::pass_on(&lost, begin, successor);
        Some(lost.seq)
    }

    /// Drops the oldest sample after this seq, unless that is the newest one, which accounts for what is lost.
    pub(super) fn drop_first_after(&mut self, seq: u64) -> bool {
        let place = self.samples.partition_point(|sample| sample.seq <= seq);
        if place + 1 >= self.samples.len() {
            return false;
        }
        let Some(lost) = self.samples.remove(place) else { return false };
        let begin = self.begin_of(place, &lost);
        if let Some(next) = self.samples.get_mut(place) {
            skips::pass_on(&lost, begin, next);
        }
        true
    }

    /// Where the time of a sample begins that was taken out at this place.
    fn begin_of(&mut self, place: usize, sample: &Sample) -> i64 {
        match place.checked_sub(1).and_then(|before| self.samples.get(before)) {
            Some(before) => skips::after(before),
            None => *self.begin.get_or_insert_with(|| skips::begin(sample)),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter()
    }

    /// The samples from this seq on.
    pub(super) fn iter_from(&self, seq: u64) -> impl Iterator<Item = &Sample> {
        self.samples.iter().skip(self.samples.partition_point(|sample| sample.seq < seq))
    }

    /// All seqs grow by this much.
    pub(super) fn shift(&mut self, by: u64) {
        for sample in &mut self.samples {
            sample.seq += by;
        }
    }
}
