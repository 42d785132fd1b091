//! How fast frames come, and how long a face may therefore be out of sight.

use std::time::Duration;

/// A face that was not seen for longer counts as a new face when it comes back, unless frames are slower than that: long
/// enough for somebody who walks past in front of it, too short for two people to change places.
pub const LOST_AFTER: Duration = Duration::from_millis(1_500);
/// At a low rate a face may be missing from one frame, which makes two intervals, and a little for jitter.
pub(crate) const LOST_AFTER_INTERVALS: f32 = 2.5;
/// The same before the first interval is known.
const FIRST_INTERVAL: Duration = Duration::from_secs(5);

/// How fast frames come, from their times alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace {
    newest: Option<Duration>,
    /// The last intervals, the newest last.
    intervals: Vec<Duration>,
}

impl Pace {
    /// Time since the frame before, and how long a face may be out of sight by now. If time goes backwards, none is
    /// taken to have passed.
    pub(crate) fn next(&mut self, captured: Duration) -> (Duration, Duration) {
        let elapsed = self.newest.map_or(Duration::ZERO, |newest| captured.saturating_sub(newest));
        // The median, so that a single pause does not count as a low rate.
        let mut sorted = self.intervals.clone();
        sorted.sort_unstable();
        let interval = sorted.get(sorted.len().saturating_sub(1) / 2);
        let lost_after = interval
            .map_or(FIRST_INTERVAL, |interval| LOST_AFTER.max(interval.mul_f32(LOST_AFTER_INTERVALS)));
        if self.newest.is_some() {
            if self.intervals.len() == 3 {
                self.intervals.remove(0);
            }
            self.intervals.push(elapsed);
        }
        self.newest = Some(captured);
        (elapsed, lost_after)
    }
}
