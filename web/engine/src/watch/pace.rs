//! How far behind a watcher is in one source. Pure.
//!
//! Two measures, and neither needs to know what time it is. The seq of the newest stored sample, which the welcome
//! contains, tells what is history. For what comes after that, the delay counts: how long a sample took from its `at`,
//! by the source's clock, until it arrived, by this page's steady clock. The clocks may be any distance apart, so a
//! delay alone means nothing; compared with the shortest one it tells how much later than possible a sample came. The
//! newest stored sample helps here too: it might have come with the welcome.

use mien_shared::limits::MAX_HOLD_MS;
use mien_shared::{Sample, SkipReason};

/// This far behind the quickest sample still counts as live: batching, pauses between acks and a slow network add up to
/// this.
const LIVE_MS: i64 = 2_500;
/// A live source that is this far behind is no longer live. More than the above, so that the two do not alternate.
const BEHIND_MS: i64 = 5_000;
/// A source without a new sample for this long is quiet: the time a sample stands for, and as much again on the way.
const QUIET_MS: u64 = 2 * MAX_HOLD_MS;
/// Samples that come faster than they were taken are a backlog, be it the line's or the source's: each is quicker than
/// the last. After the shortest delay has fallen by this much within this time, nothing is live for a while: long enough
/// to recognise a line that carries only a sixth more than the source sends.
const FALL_MS: i64 = 500;
const FALL_WITHIN_MS: u64 = 10_000;
const SETTLE_MS: u64 = 4_000;
/// The shortest delay grows by one millisecond per this many: clocks drift apart, by 0.1 % at most.
const DRIFT: u64 = 1_000;
/// An `at` that goes back by more means that a clock was set, even if the source does not report it.
const STEP_MS: i64 = 1_000;

/// What the newest sample of a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourcePace {
    /// History: there are newer ones.
    CatchingUp,
    /// What the source shows right now.
    Live,
    /// The last sample, but not a current one: the source is paused, gone, or has not begun to send.
    Quiet,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    /// The last seq that was seen.
    seen: u64,
    /// The newest that was stored when the relay welcomed us; `None` from an older relay.
    stored: Option<u64>,
    welcomed_ms: u64,
    /// `at` of the newest sample, and when it arrived.
    newest: Option<(u64, u64)>,
    /// The shortest delay: steady clock minus `at`.
    quickest: Option<i64>,
    /// From when and what the fall of the shortest delay is measured.
    landmark: Option<(u64, i64)>,
    settled_ms: u64,
    drifted_ms: u64,
    /// A sample has come that is newer than the welcome and not from a backlog.
    fresh: bool,
    live: bool,
    /// Sum of the times between samples, and of how many.
    spacing: (u64, u64),
}

impl Pace {
    /// A source of which everything up to `seen` was seen before.
    pub(super) fn new(seen: u64) -> Self {
        Self { seen, ..Self::default() }
    }

    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// A connection begins. `stored`: the newest sample's seq, if the relay says so.
    pub(super) fn welcome(&mut self, now: u64, stored: Option<u64>) {
        self.stored = stored;
        self.welcomed_ms = now;
        (self.fresh, self.live) = (false, false);
    }

    /// Takes samples in order and removes those that were seen before.
    pub(super) fn take(&mut self, now: u64, samples: &mut Vec<Sample>) {
        self.live &= self.pace(now) == SourcePace::Live;
        samples.retain(|sample| {
            let new = sample.seq > self.seen;
            if new {
                self.add(now, sample);
            }
            new
        });
    }

    fn add(&mut self, now: u64, sample: &Sample) {
        let stepped = sample.skipped.iter().find(|skipped| skipped.reason == SkipReason::ClockStep);
        let mut step = stepped.map_or(0, |skipped| skipped.ms);
        if let Some((at, _)) = self.newest {
            let advance = sample.at.cast_signed().saturating_sub(at.cast_signed());
            if step == 0 && advance < -STEP_MS {
                step = advance;
            }
            if let Ok(advance) = u64::try_from(advance.saturating_sub(step)) {
                self.spacing.0 += advance.min(MAX_HOLD_MS);
                self.spacing.1 += sample.seq - self.seen;
            }
        }
        self.seen = sample.seq;
        self.newest = Some((sample.at, now));
        // If the clock was set forward, samples seem to have come sooner by as much, and vice versa.
        self.quickest = self.quickest.map(|delay| delay.saturating_sub(step));
        self.landmark = self.landmark.map(|(since, delay)| (since, delay.saturating_sub(step)));
        if self.stored.is_none_or(|stored| sample.seq >= stored) {
            self.measure(now, sample);
        }
        self.live = self.pace(now) == SourcePace::Live;
    }

    fn measure(&mut self, now: u64, sample: &Sample) {
        // What was stored already could have come with the welcome.
        let came = if self.stored == Some(sample.seq) { self.welcomed_ms } else { now };
        let delay = came.cast_signed().saturating_sub(sample.at.cast_signed());
        let drift = now.saturating_sub(self.drifted_ms) / DRIFT;
        if drift > 0 {
            self.drifted_ms = now;
        }
        let known = self.quickest.map(|quickest| quickest.saturating_add_unsigned(drift));
        let quickest = known.map_or(delay, |known| known.min(delay));
        self.quickest = Some(quickest);
        let (watched, fell) = match self.landmark {
            Some((since, delay)) => (now < since + FALL_WITHIN_MS, delay.saturating_sub(quickest) > FALL_MS),
            // The very first is not a fall; but if the relay does not say what is history, it may be part of it.
            None => (false, self.stored.is_none()),
        };
        if fell {
            self.settled_ms = now + SETTLE_MS;
        }
        if fell || !watched {
            self.landmark = Some((now, quickest));
        }
        self.fresh |= self.stored != Some(sample.seq) && now >= self.settled_ms;
    }

    pub(super) fn pace(&self, now: u64) -> SourcePace {
        if self.stored.is_some_and(|stored| self.seen < stored) {
            return SourcePace::CatchingUp;
        }
        let Some((_, heard_ms)) = self.newest.filter(|(_, heard_ms)| now < heard_ms + QUIET_MS) else {
            return SourcePace::Quiet;
        };
        let since_welcome = heard_ms >= self.welcomed_ms && self.stored != Some(self.seen);
        if since_welcome && now < self.settled_ms {
            return SourcePace::CatchingUp;
        }
        let late = self.late_ms() > if self.live { BEHIND_MS } else { LIVE_MS };
        match (late, self.fresh) {
            // Even when everything that the welcome named has come, but slowly: there may be as much again.
            (true, _) => SourcePace::CatchingUp,
            (false, true) => SourcePace::Live,
            (false, false) => SourcePace::Quiet,
        }
    }

    /// How much later than possible the newest sample came.
    fn late_ms(&self) -> i64 {
        self.newest.zip(self.quickest).map_or(0, |((at, heard_ms), quickest)| {
            heard_ms.cast_signed().saturating_sub(at.cast_signed()).saturating_sub(quickest)
        })
    }

    /// How old the newest sample is, if that is known.
    pub(super) fn behind_ms(&self, now: u64) -> Option<u64> {
        let (at, _) = self.newest?;
        let by_clock = self.quickest.map(|quickest| {
            let late = now.cast_signed().saturating_sub(at.cast_signed()).saturating_sub(quickest);
            u64::try_from(late).unwrap_or(0)
        });
        let missing = self.stored.map_or(0, |stored| stored.saturating_sub(self.seen));
        if missing == 0 {
            return by_clock.filter(|_| now >= self.settled_ms);
        }
        // The source's clock is not known at first, and ours may have slept; but it is known how many are missing and
        // how far apart they are.
        let (total, count) = self.spacing;
        let by_count = total.checked_div(count).map(|each| missing.saturating_mul(each));
        by_clock.max(by_count.map(|ms| ms + now.saturating_sub(self.welcomed_ms)))
    }
}
