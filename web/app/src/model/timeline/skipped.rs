//! The time before a sample in which nothing was analysed, by reason.

use mien_shared::{Sample, SkipReason};

/// Where each reason lies between two samples. A sample says how long, not when: analysed time comes first, and the
/// reasons follow in their order, up to the sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SkippedTime {
    /// End of what was analysed, Unix milliseconds.
    begin_ms: u64,
    /// Each reason with the end of its time, Unix milliseconds.
    ends_ms: Vec<(SkipReason, u64)>,
}

impl SkippedTime {
    pub(super) fn before(sample: &Sample) -> Self {
        let mut ends_ms = Vec::new();
        let mut begin_ms = sample.at;
        // A step of the clock takes no time.
        let lost = sample.skipped.iter().filter(|skipped| skipped.reason != SkipReason::ClockStep);
        for skipped in lost.rev() {
            ends_ms.insert(0, (skipped.reason, begin_ms));
            begin_ms = begin_ms.saturating_sub(skipped.ms.max(0) as u64);
        }
        Self { begin_ms, ends_ms }
    }

    /// Until when the previous sample may be held.
    pub(super) fn begin_ms(&self) -> u64 {
        self.begin_ms
    }

    /// Why nothing was analysed at that time.
    pub(super) fn reason_at(&self, at_ms: u64) -> Option<SkipReason> {
        if at_ms < self.begin_ms {
            return None;
        }
        self.ends_ms.iter().find(|(_, end)| at_ms < *end).map(|(reason, _)| *reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mien_shared::Skipped;

    #[test]
    fn reasons_follow_what_was_analysed() {
        let skipped =
            [(SkipReason::ClockStep, -7_000), (SkipReason::Paused, 3_000), (SkipReason::Hidden, 500)];
        let skipped = skipped.map(|(reason, ms)| Skipped { reason, ms }).to_vec();
        let skipped_time = SkippedTime::before(&Sample { skipped, ..Sample::new(2, 10_000, Vec::new()) });
        assert_eq!(skipped_time.begin_ms(), 6_500);
        let at = [6_499, 6_500, 9_499, 9_500, 9_999, 10_000].map(|at| skipped_time.reason_at(at));
        let (paused, hidden) = (Some(SkipReason::Paused), Some(SkipReason::Hidden));
        assert_eq!(at, [None, paused, paused, hidden, hidden, None]);
        let none = SkippedTime::before(&Sample::new(2, 10_000, Vec::new()));
        assert_eq!((none.begin_ms(), none.reason_at(10_000)), (10_000, None));
    }
}
