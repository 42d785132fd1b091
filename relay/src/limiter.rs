//! Token buckets, one per user and kind, in bounded memory.
//!
//! A bucket is kept as one number, the time at which it would be full again (the generic cell rate
//! algorithm), so a full bucket needs no memory at all: it is dropped and made anew. Time is handed in, so
//! the arithmetic is plain and tested without waiting.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Users for which a bucket is kept at a time. About 100 bytes each.
const MAX_BUCKETS: usize = 100_000;

/// How fast and how much at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// 1 or more.
    pub per_second: u32,
    /// 1 or more.
    pub burst: u32,
}

/// What a bucket says after it was asked, as the `RateLimit` header fields want it.
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

/// Buckets of one kind.
#[derive(Debug)]
pub struct Limiter {
    rate: Rate,
    max_buckets: usize,
    start: Instant,
    /// When each bucket is full again, in nanoseconds since `start`.
    full_at: Mutex<HashMap<Box<str>, u64>>,
}

impl Limiter {
    pub fn new(rate: Rate) -> Self {
        Self::with_capacity(rate, MAX_BUCKETS)
    }

    fn with_capacity(rate: Rate, max_buckets: usize) -> Self {
        let rate = Rate { per_second: rate.per_second.max(1), burst: rate.burst.max(1) };
        Self { rate, max_buckets, start: Instant::now(), full_at: Mutex::new(HashMap::new()) }
    }

    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Takes `count` tokens if all of them are there, else none.
    pub fn take(&self, user: &str, count: u32) -> Verdict {
        self.take_at(user, count, Instant::now())
    }

    /// Takes as many of `count` tokens as are there and says how many.
    pub fn take_some(&self, user: &str, count: u32) -> (u32, Verdict) {
        self.take_some_at(user, count, Instant::now())
    }

    /// Takes `count` tokens even if they are not there, and says how long until the debt is repaid.
    pub fn charge(&self, user: &str, count: u32) -> Duration {
        self.charge_at(user, count, Instant::now())
    }

    fn take_at(&self, user: &str, count: u32, now: Instant) -> Verdict {
        self.with_bucket(user, now, |bucket| {
            let allowed = count <= bucket.available();
            if allowed {
                bucket.spend(count);
            }
            bucket.verdict(allowed, count)
        })
    }

    fn take_some_at(&self, user: &str, count: u32, now: Instant) -> (u32, Verdict) {
        self.with_bucket(user, now, |bucket| {
            let taken = count.min(bucket.available());
            bucket.spend(taken);
            (taken, bucket.verdict(taken == count, 1))
        })
    }

    fn charge_at(&self, user: &str, count: u32, now: Instant) -> Duration {
        self.with_bucket(user, now, |bucket| {
            bucket.spend(count);
            bucket.debt()
        })
    }

    fn with_bucket<T>(&self, user: &str, now: Instant, act: impl FnOnce(&mut Bucket) -> T) -> T {
        let now = u64::try_from(now.saturating_duration_since(self.start).as_nanos()).unwrap_or(u64::MAX);
        // A panic while the lock was held cannot leave half a number behind.
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = buckets.get(user).copied().unwrap_or(0).max(now);
        let mut bucket = Bucket { rate: self.rate, now, full_at };
        let answer = act(&mut bucket);
        if let Some(kept) = buckets.get_mut(user) {
            *kept = bucket.full_at;
        } else if bucket.full_at > now {
            if buckets.len() >= self.max_buckets {
                make_room(&mut buckets, now);
            }
            buckets.insert(user.into(), bucket.full_at);
        }
        answer
    }
}

/// Drops the buckets that are full again; if none is, the half that is nearest to it, which favours a flood
/// of strangers least.
fn make_room(buckets: &mut HashMap<Box<str>, u64>, now: u64) {
    let before = buckets.len();
    buckets.retain(|_, full_at| *full_at > now);
    if buckets.len() < before {
        return;
    }
    let mut times: Vec<u64> = buckets.values().copied().collect();
    let middle = times.len() / 2;
    let (_, &mut median, _) = times.select_nth_unstable(middle);
    buckets.retain(|_, full_at| *full_at > median);
}

/// One bucket while it is looked at. All times in nanoseconds since the limiter's start.
struct Bucket {
    rate: Rate,
    now: u64,
    /// Never before `now`.
    full_at: u64,
}

impl Bucket {
    fn cost(&self, count: u32) -> u64 {
        u64::from(count) * 1_000_000_000 / u64::from(self.rate.per_second)
    }

    /// Missing time: zero when full, the cost of the burst when empty, more when in debt.
    fn missing(&self) -> u64 {
        self.full_at - self.now
    }

    fn available(&self) -> u32 {
        let room = self.cost(self.rate.burst).saturating_sub(self.missing());
        let tokens = u128::from(room) * u128::from(self.rate.per_second) / 1_000_000_000;
        // The cost is rounded down, which must not let the last token vanish from a full bucket.
        if self.missing() == 0 { self.rate.burst } else { (tokens as u32).min(self.rate.burst) }
    }

    fn spend(&mut self, count: u32) {
        self.full_at = self.full_at.saturating_add(self.cost(count));
    }

    fn debt(&self) -> Duration {
        Duration::from_nanos(self.missing().saturating_sub(self.cost(self.rate.burst)))
    }

    fn verdict(&self, allowed: bool, wanted: u32) -> Verdict {
        let wait = (self.missing() + self.cost(wanted)).saturating_sub(self.cost(self.rate.burst));
        Verdict {
            allowed,
            limit: self.rate.burst,
            remaining: self.available(),
            reset: Duration::from_nanos(self.missing()),
            retry_after: if allowed { Duration::ZERO } else { Duration::from_nanos(wait) },
        }
    }
}
