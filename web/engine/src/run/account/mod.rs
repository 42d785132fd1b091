//! Which time of a run was not analysed, and why. Pure: the caller brings a clock that never goes back.
//!
//! Time between two analysed frames counts as analysed, except
//! * time for which the source was paused, to the millisecond;
//! * a gap that is longer than usual, less one usual interval: longer than [`LEAST_MS`], or than [`ORDINARY`] times the
//!   source's own interval if that is more. Newest wins, so a busy machine leaves frames out all the time, and a camera
//!   in the dark delivers fewer: neither is a gap in a recording as long as the pace is steady. When the page is hidden
//!   and shown again the limit is lower, as the reason is known then; where frames come in between, they have a pace too.
//!
//! So what is skipped and what is analysed add up to the time between the first analysed frame and the last, and each
//! gap is exact to one interval of the source.

use mien_shared::{SkipReason, Skipped};

/// Shorter gaps are not reported: a smile lasts longer, and garbage collection or layout may take this long now and
/// then.
const LEAST_MS: f64 = 500.0;
/// Applies to frames that the source left out and to those that were not analysed.
const ORDINARY: f64 = 4.0;
/// From a frame of the visible page to one of the hidden page, or over its absence: at least one was left out.
const ORDINARY_HIDDEN: f64 = 2.0;
/// How often [`Account::beat`] is called while the page is allowed to run.
pub(super) const BEAT_MS: u32 = 250;
/// Without even a beat for this long, the page was kept from running.
const KEPT_MS: f64 = 500.0;
/// Assumed for a source, and for a slow machine's answers, before their intervals are known.
const INTERVAL_MS: f64 = 1_000.0 / 30.0;
const ANSWERS_MS: f64 = 250.0;

/// The reasons that a run can report.
const REASONS: [SkipReason; 4] =
    [SkipReason::Paused, SkipReason::Hidden, SkipReason::Throttled, SkipReason::Stalled];
const PAUSED: usize = 0;
const HIDDEN: usize = 1;
const THROTTLED: usize = 2;
const STALLED: usize = 3;

/// Milliseconds by reason, in the order of [`REASONS`].
type ByReason = [f64; REASONS.len()];

/// A frame's entry in the account. It goes with the frame and comes back once that is analysed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    at_ms: f64,
    /// Since the run began.
    lost: ByReason,
}

/// How long something usually takes. It adapts to a lasting change within a few steps.
#[derive(Debug)]
struct Pace(f64);

impl Pace {
    fn limit(&self) -> f64 {
        (self.0 * ORDINARY).max(LEAST_MS)
    }

    fn learn(&mut self, took_ms: f64) {
        if took_ms <= self.limit() {
            self.0 += (took_ms - self.0) / 8.0;
        } else {
            // A gap, or a source that has slowed down: after a few frames at this pace it is the latter.
            self.0 = (self.0 * 2.0).min(took_ms);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    Visible,
    Hidden,
}

impl Page {
    const fn of(hidden: bool) -> Self {
        if hidden { Self::Hidden } else { Self::Visible }
    }
}

#[derive(Debug)]
pub(super) struct Account {
    paused: bool,
    page: Page,
    /// Frames have come since the page was last hidden.
    reads_hidden: bool,
    /// Everything before this is counted.
    counted_ms: f64,
    /// Time since the source's last frame, by state; under `STALLED` the time for which the page ran.
    since: ByReason,
    lost: ByReason,
    source: Pace,
    analysis: Pace,
    /// The source has delivered a frame.
    begun: bool,
    analysed: Option<Stamp>,
    /// What is lost and not reported yet: less than a millisecond of each.
    untold: ByReason,
}

impl Account {
    pub(super) fn new(now_ms: f64, hidden: bool) -> Self {
        Self {
            paused: false,
            page: Page::of(hidden),
            reads_hidden: false,
            counted_ms: now_ms,
            since: ByReason::default(),
            lost: ByReason::default(),
            source: Pace(INTERVAL_MS),
            analysis: Pace(ANSWERS_MS),
            begun: false,
            analysed: None,
            untold: ByReason::default(),
        }
    }

    fn count(&mut self, now_ms: f64) {
        let passed = (now_ms - self.counted_ms).max(0.0);
        self.counted_ms = self.counted_ms.max(now_ms);
        let reason = match (self.paused, self.page == Page::Hidden) {
            (true, _) => PAUSED,
            (false, true) => HIDDEN,
            (false, false) if passed > KEPT_MS => THROTTLED,
            (false, false) => STALLED,
        };
        self.since[reason] += passed;
    }

    /// The source is paused on purpose, or no longer.
    pub(super) fn set_paused(&mut self, now_ms: f64, paused: bool) {
        self.count(now_ms);
        self.paused = paused;
    }

    pub(super) fn set_hidden(&mut self, now_ms: f64, hidden: bool) {
        self.count(now_ms);
        self.page = Page::of(hidden);
        if hidden {
            self.reads_hidden = false;
        }
    }

    /// The page runs; called every [`BEAT_MS`] while it is allowed to.
    pub(super) fn beat(&mut self, now_ms: f64) {
        self.count(now_ms);
    }

    /// The source has delivered a frame that is to be analysed.
    pub(super) fn delivered(&mut self, now_ms: f64) -> Stamp {
        self.count(now_ms);
        let since = std::mem::take(&mut self.since);
        if std::mem::replace(&mut self.begun, true) {
            self.lost[PAUSED] += since[PAUSED];
            let gap = since[HIDDEN] + since[THROTTLED] + since[STALLED];
            let absent = since[HIDDEN] > 0.0 && !self.reads_hidden;
            let limit = if absent { self.source.0 * ORDINARY_HIDDEN } else { self.source.limit() };
            if gap > limit {
                let mut excess = gap - self.source.0;
                for reason in [HIDDEN, THROTTLED, STALLED] {
                    let part = since[reason].min(excess);
                    self.lost[reason] += part;
                    excess -= part;
                }
            }
            if since[PAUSED] + since[THROTTLED] == 0.0 && !absent {
                self.source.learn(gap);
            }
        }
        self.reads_hidden = self.page == Page::Hidden;
        Stamp { at_ms: now_ms, lost: self.lost }
    }

    /// What was skipped since the previously analysed frame.
    pub(super) fn analysed(&mut self, stamp: Stamp) -> Vec<Skipped> {
        let Some(before) = self.analysed.replace(stamp) else { return Vec::new() };
        let mut lost: ByReason = std::array::from_fn(|reason| stamp.lost[reason] - before.lost[reason]);
        let known: f64 = lost.iter().sum();
        // Frames kept coming, and no worker was free to analyse them.
        let rest = (stamp.at_ms - before.at_ms - known).max(0.0);
        if rest > self.analysis.limit().max(self.source.limit()) {
            lost[THROTTLED] += rest - self.analysis.0;
        }
        self.analysis.learn(rest);
        let mut skipped = Vec::new();
        for (reason, lost) in lost.into_iter().enumerate() {
            let untold = &mut self.untold[reason];
            *untold += lost;
            let whole = untold.floor();
            if whole >= 1.0 {
                *untold -= whole;
                skipped.push(Skipped { reason: REASONS[reason], ms: whole as i64 });
            }
        }
        skipped
    }
}

#[cfg(test)]
mod tests;
