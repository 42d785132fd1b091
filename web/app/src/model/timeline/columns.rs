//! Samples in columns.
//!
//! It refuses samples older than its oldest column, unless they are prepended as such, and clocks that jump back behind
//! it.

use std::collections::VecDeque;

use mien_shared::limits::MAX_HOLD_MS;
use mien_shared::{Sample, SkipReason};

use super::marker::{Markers, TimelineMarker};
use super::shown::{COLUMN_MS, Column, Shown};
use super::skipped::SkippedTime;

/// Half an hour: what a live chart keeps.
pub(super) const LIVE_COLUMNS: usize = 7_200;
/// Twelve hours, some 7 MB: what it keeps if earlier parts were prepended.
pub(super) const MAX_COLUMNS: usize = 24 * LIVE_COLUMNS;

#[derive(Clone, Debug)]
pub struct Timeline {
    /// Number of the oldest column since 1970.
    pub(super) first: u64,
    pub(super) columns: VecDeque<Column>,
    /// Columns to keep.
    capacity: usize,
    /// The first sample, for as long as its column is here.
    begin: Option<Begin>,
    last: Option<Last>,
    markers: Markers,
}

#[derive(Clone, Copy, Debug)]
struct Begin {
    seq: u64,
    at_ms: u64,
}

impl Begin {
    const fn of(sample: &Sample) -> Self {
        Self { seq: sample.seq, at_ms: sample.at }
    }
}

#[derive(Clone, Debug)]
struct Last {
    seq: u64,
    at_ms: u64,
    column: Column,
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            first: 0,
            columns: VecDeque::new(),
            capacity: LIVE_COLUMNS,
            begin: None,
            last: None,
            markers: Markers::default(),
        }
    }
}

impl Timeline {
    /// A sample is held until the next one, at most [`MAX_HOLD_MS`], as it does in the relay's summary; a jump in
    /// seq is a gap whatever its length, and so is what the source has skipped.
    pub fn add(&mut self, sample: &Sample) {
        self.follow_clock(sample);
        let index = sample.at / COLUMN_MS;
        let column = Column::of(sample);
        if self.columns.is_empty() {
            (self.first, self.begin) = (index, Some(Begin::of(sample)));
        }
        if index < self.first {
            return;
        }
        let next = self.first + self.columns.len() as u64;
        if index.saturating_sub(next) > LIVE_COLUMNS as u64 {
            self.columns.clear();
            (self.first, self.begin, self.capacity) = (index, Some(Begin::of(sample)), LIVE_COLUMNS);
        } else if index >= next {
            let skipped = SkippedTime::before(sample);
            let filler = self.held_until(sample.seq, skipped.begin_ms());
            self.columns.extend((next..index).map(|place| {
                match skipped.reason_at(place * COLUMN_MS + COLUMN_MS / 2) {
                    Some(reason) => Column::skipped(reason),
                    None => filler.clone(),
                }
            }));
        }
        let place = (index - self.first) as usize;
        if place >= self.columns.len() {
            self.columns.push_back(Column::default());
        }
        self.columns[place].add(&column);
        self.trim();
        self.last = Some(Last { seq: sample.seq, at_ms: sample.at, column });
    }

    /// If the source's clock was set before this sample, earlier samples are dated as if it had been set already:
    /// otherwise nothing would move until a clock that was set back has caught up. Markers stay where the relay has
    /// them.
    fn follow_clock(&mut self, sample: &Sample) {
        let steps = sample.skipped.iter().filter(|skipped| skipped.reason == SkipReason::ClockStep);
        let step: i64 = steps.map(|skipped| skipped.ms).sum();
        let Some(last) = &mut self.last else { return };
        if sample.seq > last.seq {
            last.at_ms = last.at_ms.saturating_add_signed(step);
            self.first = self.first.saturating_add_signed(step / COLUMN_MS as i64);
        }
    }

    /// What fills the time between the last sample and this one.
    fn held_until(&self, seq: u64, at_ms: u64) -> Column {
        let held = self
            .last
            .as_ref()
            .filter(|last| seq == last.seq + 1 && at_ms.saturating_sub(last.at_ms) <= MAX_HOLD_MS);
        held.map(|last| last.column.clone()).unwrap_or_default()
    }

    fn trim(&mut self) {
        let over = self.columns.len().saturating_sub(self.capacity);
        if over > 0 {
            self.columns.drain(..over);
            self.first += over as u64;
            self.begin = None;
        }
    }

    /// Puts samples from before [`Self::earlier_than`] in front, in order of seq. They stay, up to [`MAX_COLUMNS`] in
    /// all; beyond that, or if the gap is that long, the oldest are left out.
    pub fn prepend(&mut self, samples: &[Sample]) {
        let mut earlier = Self { capacity: MAX_COLUMNS, ..Self::default() };
        for sample in samples {
            earlier.add(sample);
        }
        if earlier.is_empty() {
            return;
        }
        if self.is_empty() {
            let markers = std::mem::take(&mut self.markers);
            *self = Self { markers, ..earlier };
            return;
        }
        let filler = self.begin.map(|begin| earlier.held_until(begin.seq, begin.at_ms)).unwrap_or_default();
        let end = earlier.first + earlier.columns.len() as u64;
        let between = usize::try_from(self.first.saturating_sub(end)).unwrap_or(usize::MAX);
        if between.saturating_add(self.columns.len()) > MAX_COLUMNS {
            return;
        }
        for (place, column) in self.columns.iter_mut().enumerate() {
            // The column at the seam belongs to both.
            let Some(index) = (self.first + place as u64).checked_sub(earlier.first) else { continue };
            match earlier.columns.get(index as usize) {
                Some(other) => column.add(other),
                None => break,
            }
        }
        let before = usize::try_from(self.first.saturating_sub(earlier.first)).unwrap_or(usize::MAX);
        let mut columns: VecDeque<_> = earlier.columns.into_iter().take(before).collect();
        columns.extend(std::iter::repeat_n(filler, between));
        columns.append(&mut self.columns);
        self.first = self.first.min(earlier.first);
        self.columns = columns;
        self.begin = earlier.begin;
        self.capacity = self.columns.len().clamp(self.capacity, MAX_COLUMNS);
        self.trim();
    }

    /// The time before which the relay may have samples that are not here; `None` if there are none, or no room.
    pub fn earlier_than(&self) -> Option<u64> {
        match self.begin {
            _ if self.is_empty() || self.columns.len() >= MAX_COLUMNS => None,
            Some(Begin { seq: 1, .. }) => None,
            Some(begin) => Some(begin.at_ms),
            None => Some(self.oldest_ms()),
        }
    }

    pub fn add_marker(&mut self, marker: TimelineMarker) {
        self.markers.add(marker);
    }

    /// Removes only one marker if two are equal.
    pub fn remove_marker(&mut self, marker: &TimelineMarker) {
        self.markers.remove(marker);
    }

    /// In order of time.
    pub fn markers(&self) -> impl Iterator<Item = &TimelineMarker> {
        self.markers.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Begin of the oldest column, Unix milliseconds.
    pub fn oldest_ms(&self) -> u64 {
        self.first * COLUMN_MS
    }

    /// End of the newest column, Unix milliseconds.
    pub fn newest_ms(&self) -> u64 {
        (self.first + self.columns.len() as u64) * COLUMN_MS
    }

    /// What the column at this time showed.
    pub fn shown_at(&self, at_ms: u64) -> Shown {
        (at_ms / COLUMN_MS)
            .checked_sub(self.first)
            .and_then(|place| self.columns.get(place as usize))
            .map_or(Shown::Gap, Shown::of)
    }
}
