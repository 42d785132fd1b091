//! What time of a run was not analysed, and why. Pure: the caller brings a clock that never goes back.
//!
//! Time between two analysed frames is analysed, but for
//! * the time that somebody had paused the source, to the millisecond;
//! * what is longer than the ordinary, less one ordinary interval: [`LEAST_MS`], or [`ORDINARY`] times the source's
//!   own interval where that is more. Newest wins, so a busy machine leaves frames out all the time, and a camera
//!   in the dark gives fewer: neither is a hole in a recording, for as long as the pace is a steady one. While the
//!   page is hidden the ordinary is less, as it is known then why nothing comes.
//!
//! So what is skipped and what is analysed add up to the time between the first analysed frame and the last, and
//! each hole is exact to one interval of the source.

use mien_shared::{SkipReason, Skipped};

/// Shorter holes are not told: a smile lasts longer, and a browser that collects garbage or lays out a page may take
/// this long now and then.
const LEAST_MS: f64 = 500.0;
/// Of frames that the source has left out, and of those that were not analysed.
const ORDINARY: f64 = 4.0;
/// While the page is hidden: one frame was left out at least.
const ORDINARY_HIDDEN: f64 = 2.0;
/// How often [`Account::beat`] is called where the page is allowed to run.
pub(super) const BEAT_MS: u32 = 250;
/// Nothing was heard for so long, not even a beat: the page was kept from running.
const KEPT_MS: f64 = 500.0;
/// What a source's interval is taken for before it is known, and that of a slow machine's answers.
const INTERVAL_MS: f64 = 1_000.0 / 30.0;
const ANSWERS_MS: f64 = 250.0;

/// The reasons that a run can tell of.
const REASONS: [SkipReason; 4] =
    [SkipReason::Paused, SkipReason::Hidden, SkipReason::Throttled, SkipReason::Stalled];
const PAUSED: usize = 0;
const HIDDEN: usize = 1;
const THROTTLED: usize = 2;
const STALLED: usize = 3;

/// Milliseconds by reason, in the order of [`REASONS`].
type ByReason = [f64; REASONS.len()];

/// A frame's place in the account. It goes with the frame, and comes back once that is analysed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    at_ms: f64,
    /// Since the run began.
    lost: ByReason,
}

/// How long things usually take. It follows a pace that has changed for good within a few steps.
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
            // A hole, or a source that is slower now: once it has given a few frames at this pace, it is the latter.
            self.0 = (self.0 * 2.0).min(took_ms);
        }
    }
}

#[derive(Debug)]
pub(super) struct Account {
    paused: bool,
    hidden: bool,
    /// All before is counted.
    counted_ms: f64,
    /// Time since the source's last frame, by what was the case; in place of `STALLED` the time that the page ran.
    since: ByReason,
    lost: ByReason,
    source: Pace,
    analysis: Pace,
    /// The last frame of the source was delivered.
    begun: bool,
    analysed: Option<Stamp>,
    /// Of what is lost, what has not been told yet: less than a millisecond of each.
    untold: ByReason,
}

impl Account {
    pub(super) fn new(now_ms: f64, hidden: bool) -> Self {
        Self {
            paused: false,
            hidden,
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
        let reason = match (self.paused, self.hidden) {
            (true, _) => PAUSED,
            (false, true) => HIDDEN,
            (false, false) if passed > KEPT_MS => THROTTLED,
            (false, false) => STALLED,
        };
        self.since[reason] += passed;
    }

    /// The source stands still because somebody wants it to.
    pub(super) fn set_paused(&mut self, now_ms: f64, paused: bool) {
        self.count(now_ms);
        self.paused = paused;
    }

    pub(super) fn set_hidden(&mut self, now_ms: f64, hidden: bool) {
        self.count(now_ms);
        self.hidden = hidden;
    }

    /// The page runs; called every [`BEAT_MS`] where it is allowed to.
    pub(super) fn beat(&mut self, now_ms: f64) {
        self.count(now_ms);
    }

    /// The source has given a frame that is to be looked at.
    pub(super) fn delivered(&mut self, now_ms: f64) -> Stamp {
        self.count(now_ms);
        let since = std::mem::take(&mut self.since);
        if std::mem::replace(&mut self.begun, true) {
            self.lost[PAUSED] += since[PAUSED];
            let hole = since[HIDDEN] + since[THROTTLED] + since[STALLED];
            let limit =
                if since[HIDDEN] > 0.0 { self.source.0 * ORDINARY_HIDDEN } else { self.source.limit() };
            if hole > limit {
                let mut excess = hole - self.source.0;
                for reason in [HIDDEN, THROTTLED, STALLED] {
                    let part = since[reason].min(excess);
                    self.lost[reason] += part;
                    excess -= part;
                }
            }
            if since[PAUSED] + since[HIDDEN] + since[THROTTLED] == 0.0 {
                self.source.learn(hole);
            }
        }
        Stamp { at_ms: now_ms, lost: self.lost }
    }

    /// What was skipped since the frame that was analysed before this one.
    pub(super) fn analysed(&mut self, stamp: Stamp) -> Vec<Skipped> {
        let Some(before) = self.analysed.replace(stamp) else { return Vec::new() };
        let mut lost: ByReason = std::array::from_fn(|reason| stamp.lost[reason] - before.lost[reason]);
        let known: f64 = lost.iter().sum();
        // Frames came all the while, and nobody had the time to look at them.
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
