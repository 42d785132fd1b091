//! A timeline as the chart and the table show it: columns merged into slices.

use super::columns::Timeline;
use super::shown::{COLUMN_MS, Column, Shown};

/// One stretch of the chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slice {
    /// Where it begins, Unix milliseconds.
    pub at_ms: u64,
    pub width_ms: u64,
    pub shown: Shown,
}

impl Timeline {
    /// The columns that touch `from_ms … to_ms`, merged into no more than about `at_most` slices. These begin at
    /// multiples of their width since 1970, so that they do not flicker as time passes.
    pub fn slices(&self, from_ms: u64, to_ms: u64, at_most: usize) -> Vec<Slice> {
        let columns = to_ms.saturating_sub(from_ms).div_ceil(COLUMN_MS);
        let group = columns.div_ceil(at_most.max(1) as u64).max(1);
        self.grouped(from_ms, to_ms, group)
    }

    fn grouped(&self, from_ms: u64, to_ms: u64, group: u64) -> Vec<Slice> {
        let end = self.first + self.columns.len() as u64;
        let from = (from_ms / COLUMN_MS).max(self.first);
        let to = to_ms.div_ceil(COLUMN_MS).min(end);
        let mut slices = Vec::new();
        let mut at = from / group * group;
        while at < to {
            let mut sum = Column::default();
            for index in at.max(self.first)..(at + group).min(end) {
                if let Some(column) = self.columns.get((index - self.first) as usize) {
                    sum.add(column);
                }
            }
            let slice = Slice { at_ms: at * COLUMN_MS, width_ms: group * COLUMN_MS, shown: Shown::of(&sum) };
            slices.push(slice);
            at += group;
        }
        slices
    }

    /// The newest `rows` stretches of `step_ms`, newest first, for the table view.
    pub fn table(&self, step_ms: u64, rows: usize) -> Vec<Slice> {
        let group = (step_ms / COLUMN_MS).max(1);
        let newest = self.newest_ms();
        let from = newest.saturating_sub(group * COLUMN_MS * rows as u64);
        let mut slices = self.grouped(from, newest, group);
        slices.reverse();
        slices.truncate(rows);
        slices
    }
}
