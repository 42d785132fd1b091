//! A token bucket, kept as one number: the time at which it is full again (the generic cell rate algorithm).

use std::time::Duration;

use crate::config::Rate;

/// What a bucket reports about a call, as the `RateLimit` header fields need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub allowed: bool,
    /// The bucket's size.
    pub limit: u32,
    /// What could be taken at once now.
    pub remaining: u32,
    /// Until the bucket is full again.
    pub reset: Duration,
    /// Until what was asked for could be taken; zero if it was allowed.
    pub retry_after: Duration,
}

/// A bucket for the time of one call. All times are in nanoseconds since the limiter's start.
pub(super) struct Bucket {
    pub(super) rate: Rate,
    pub(super) now: u64,
    /// Never before `now`.
    pub(super) full_at: u64,
    /// Tokens taken by this call.
    pub(super) spent: u32,
}

impl Bucket {
    /// Missing time: zero when full, the cost of the burst when empty, more when in debt.
    fn missing(&self) -> u64 {
        self.full_at - self.now
    }

    pub(super) fn available(&self) -> u32 {
        let room = self.rate.cost(self.rate.burst).saturating_sub(self.missing());
        let tokens = u128::from(room) * u128::from(self.rate.per_second) / 1_000_000_000;
        // The cost is rounded down, which must not make the last token of a full bucket vanish.
        if self.missing() == 0 { self.rate.burst } else { (tokens as u32).min(self.rate.burst) }
    }

    pub(super) fn spend(&mut self, count: u32) {
        self.full_at = self.full_at.saturating_add(self.rate.cost(count));
        self.spent = self.spent.saturating_add(count);
    }

    pub(super) fn debt(&self) -> Duration {
        Duration::from_nanos(self.missing().saturating_sub(self.rate.cost(self.rate.burst)))
    }

    pub(super) fn wait(&self, wanted: u32) -> Duration {
        let missing = self.missing().saturating_add(self.rate.cost(wanted));
        Duration::from_nanos(missing.saturating_sub(self.rate.cost(self.rate.burst)))
    }

    pub(super) fn verdict(&self, allowed: bool, wanted: u32) -> Verdict {
        Verdict {
            allowed,
            limit: self.rate.burst,
            remaining: self.available(),
            reset: Duration::from_nanos(self.missing()),
            retry_after: if allowed { Duration::ZERO } else { self.wait(wanted) },
        }
    }
}
