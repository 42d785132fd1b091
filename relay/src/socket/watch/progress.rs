//! How far a watcher has come in each source.

use std::collections::BTreeMap;

use mien_shared::api::SourceName;

#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The last seq of each source that was sent, or did not need to be.
    sent: BTreeMap<SourceName, u64>,
    /// Sources to read from the store, up to this seq.
    behind: BTreeMap<SourceName, u64>,
}

impl Progress {
    pub(super) fn sent(&self) -> &BTreeMap<SourceName, u64> {
        &self.sent
    }

    pub(super) fn sent_of(&self, source: &SourceName) -> u64 {
        self.sent.get(source).copied().unwrap_or(0)
    }

    pub(super) fn is_behind(&self) -> bool {
        !self.behind.is_empty()
    }

    pub(super) fn is_source_behind(&self, source: &SourceName) -> bool {
        self.behind.contains_key(source)
    }

    pub(super) fn behind(&self) -> BTreeMap<SourceName, u64> {
        self.behind.clone()
    }

    /// Samples to be read from the store.
    pub(super) fn lag(&self) -> u64 {
        self.behind.iter().map(|(source, target)| target.saturating_sub(self.sent_of(source))).sum()
    }

    /// Never less than was known before: the hub may know of less than the store had at that time.
    pub(super) fn fall_behind(&mut self, source: SourceName, through: u64) {
        let target = self.behind.entry(source).or_insert(through);
        *target = through.max(*target);
    }

    /// The store was read up to this seq.
    pub(super) fn reach(&mut self, source: &SourceName, seq: u64, target: u64) {
        if seq >= target {
            self.behind.remove(source);
        }
        self.advance(source, seq);
    }

    pub(super) fn advance(&mut self, source: &SourceName, seq: u64) {
        match self.sent.get_mut(source) {
            Some(sent) => *sent = seq,
            None => {
                self.sent.insert(source.clone(), seq);
            }
        }
    }
}
