//! Token buckets, one per user and kind, in bounded memory.
//!
//! A bucket is kept as one number, the time at which it would be full again (the generic cell rate
//! algorithm), so a full bucket needs no memory at all: it is dropped and made anew. Time is handed in, so
//! the arithmetic is plain and tested without waiting.
//!
//! A limiter may share its buckets with those of other replicas: it then notes what was taken, and
//! `redis/limits.rs` tells the others and brings back what they took.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::config::Rate;

/// Users for which a bucket is kept at a time. About 100 bytes each.
const MAX_BUCKETS: usize = 100_000;
/// Part of the burst that may be taken before the other replicas are told at once.
const MUCH_DIVISOR: u32 = 16;

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
    /// The time now, given the start.
    clock: fn(Instant) -> Instant,
    buckets: Mutex<Buckets>,
    sharing: Sharing,
    much: Notify,
}

/// Whether the buckets are shared with other replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    Alone,
    Shared,
}

#[derive(Debug, Default)]
struct Buckets {
    kept: HashMap<Box<str>, Kept>,
    /// Users of whom the others are to be told, each once.
    owing: Vec<Box<str>>,
}

/// A bucket that is not full.
#[derive(Debug)]
struct Kept {
    /// When it is full again, in nanoseconds since the limiter's start.
    full_at: u64,
    /// Tokens of which the others were not told.
    owed: u32,
}

/// Tokens of a user that the other replicas do not know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owing {
    pub user: Box<str>,
    pub tokens: u32,
}

impl Limiter {
    pub fn new(rate: Rate, sharing: Sharing) -> Self {
        Self::with_capacity(rate, sharing, MAX_BUCKETS)
    }

    fn with_capacity(rate: Rate, sharing: Sharing, max_buckets: usize) -> Self {
        let rate = Rate { per_second: rate.per_second.max(1), burst: rate.burst.max(1) };
        Self {
            rate,
            max_buckets,
            start: Instant::now(),
            clock: |_| Instant::now(),
            buckets: Mutex::default(),
            sharing,
            much: Notify::new(),
        }
    }

    /// One for which no time passes, for tests.
    #[cfg(test)]
    pub(crate) fn frozen(rate: Rate) -> Self {
        Self { clock: |start| start, ..Self::new(rate, Sharing::Alone) }
    }

    /// Fills a user's bucket, for tests.
    #[cfg(test)]
    pub(crate) fn give_back(&self, user: &str) {
        self.lock().kept.remove(user);
    }

    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Takes `count` tokens if all of them are there, else none.
    pub fn take(&self, user: &str, count: u32) -> Verdict {
        self.take_at(user, count, self.now())
    }

    /// Takes as many of `count` tokens as are there and says how many.
    pub fn take_some(&self, user: &str, count: u32) -> u32 {
        self.take_some_at(user, count, self.now())
    }

    /// How long until `count` tokens are there.
    pub fn wait_for(&self, user: &str, count: u32) -> Duration {
        self.with_bucket(user, self.now(), |bucket| bucket.wait(count))
    }

    /// Takes `count` tokens even if they are not there, and says how long until the debt is repaid.
    pub fn charge(&self, user: &str, count: u32) -> Duration {
        self.charge_at(user, count, self.now())
    }

    fn now(&self) -> Instant {
        (self.clock)(self.start)
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

    fn take_some_at(&self, user: &str, count: u32, now: Instant) -> u32 {
        if count == 0 {
            return 0;
        }
        self.with_bucket(user, now, |bucket| {
            let taken = count.min(bucket.available());
            bucket.spend(taken);
            taken
        })
    }

    fn charge_at(&self, user: &str, count: u32, now: Instant) -> Duration {
        self.with_bucket(user, now, |bucket| {
            bucket.spend(count);
            bucket.debt()
        })
    }

    fn with_bucket<T>(&self, user: &str, now: Instant, act: impl FnOnce(&mut Bucket) -> T) -> T {
        let now = self.nanos(now);
        let mut buckets = self.lock();
        let before = buckets.kept.get(user).map_or(0, |kept| kept.full_at).max(now);
        let mut bucket = Bucket { rate: self.rate, now, full_at: before, spent: 0 };
        let answer = act(&mut bucket);
        let spent = if self.sharing == Sharing::Shared { bucket.spent } else { 0 };
        self.keep(&mut buckets, user, bucket.full_at, spent, now);
        answer
    }

    fn keep(&self, buckets: &mut Buckets, user: &str, full_at: u64, spent: u32, now: u64) {
        let owed = match buckets.kept.get_mut(user) {
            Some(kept) => {
                let owed = kept.owed;
                *kept = Kept { full_at, owed: owed.saturating_add(spent) };
                owed
            }
            None if full_at <= now => return,
            None => {
                if buckets.kept.len() >= self.max_buckets {
                    make_room(&mut buckets.kept, now);
                    let Buckets { kept, owing } = buckets;
                    owing.retain(|user| kept.contains_key(user));
                }
                buckets.kept.insert(user.into(), Kept { full_at, owed: spent });
                0
            }
        };
        if spent > 0 {
            if owed == 0 {
                buckets.owing.push(user.into());
            }
            if owed.saturating_add(spent) > self.rate.burst / MUCH_DIVISOR {
                self.much.notify_one();
            }
        }
    }

    /// Returns once so much was taken that the others should know.
    pub(crate) async fn owes_much(&self) {
        self.much.notified().await;
    }

    /// What the others are to be told of: what was taken and has not flowed in again meanwhile.
    pub(crate) fn owing(&self) -> Vec<Owing> {
        let now = self.nanos(self.now());
        let mut buckets = self.lock();
        let users = std::mem::take(&mut buckets.owing);
        let owing = users.into_iter().filter_map(|user| {
            let kept = buckets.kept.get_mut(&user)?;
            let missing = kept.full_at.saturating_sub(now);
            let missing = u128::from(missing) * u128::from(self.rate.per_second);
            let tokens = u128::from(std::mem::take(&mut kept.owed)).min(missing.div_ceil(1_000_000_000));
            (tokens > 0).then_some(Owing { user, tokens: tokens as u32 })
        });
        owing.collect()
    }

    /// The others could not be told.
    pub(crate) fn owe(&self, owing: &Owing) {
        let mut buckets = self.lock();
        let Buckets { kept, owing: users } = &mut *buckets;
        if let Some(kept) = kept.get_mut(&owing.user) {
            if kept.owed == 0 {
                users.push(owing.user.clone());
            }
            kept.owed = kept.owed.saturating_add(owing.tokens);
        }
    }

    /// Takes over what all replicas together took: `missing` until the shared bucket is full. Never fills a
    /// bucket: what the others forgot is still known here.
    pub(crate) fn adopt(&self, user: &str, missing: Duration) {
        let now = self.nanos(self.now());
        let mut buckets = self.lock();
        let (full_at, owed) = buckets.kept.get(user).map_or((0, 0), |kept| (kept.full_at, kept.owed));
        let missing = u64::try_from(missing.as_nanos()).unwrap_or(u64::MAX);
        let shared = now.saturating_add(missing).saturating_add(self.rate.cost(owed));
        self.keep(&mut buckets, user, full_at.max(shared), 0, now);
    }

    fn nanos(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.start).as_nanos()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Buckets> {
        // A panic while the lock was held cannot leave half a number behind.
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops the buckets that are full again; if none is, the half that is nearest to it, which favours a flood
/// of strangers least.
fn make_room(buckets: &mut HashMap<Box<str>, Kept>, now: u64) {
    let before = buckets.len();
    buckets.retain(|_, kept| kept.full_at > now);
    if buckets.len() < before {
        return;
    }
    let mut times: Vec<u64> = buckets.values().map(|kept| kept.full_at).collect();
    let middle = times.len() / 2;
    let (_, &mut median, _) = times.select_nth_unstable(middle);
    buckets.retain(|_, kept| kept.full_at > median);
}

/// One bucket while it is looked at. All times in nanoseconds since the limiter's start.
struct Bucket {
    rate: Rate,
    now: u64,
    /// Never before `now`.
    full_at: u64,
    /// Tokens taken by this look.
    spent: u32,
}

impl Bucket {
    /// Missing time: zero when full, the cost of the burst when empty, more when in debt.
    fn missing(&self) -> u64 {
        self.full_at - self.now
    }

    fn available(&self) -> u32 {
        let room = self.rate.cost(self.rate.burst).saturating_sub(self.missing());
        let tokens = u128::from(room) * u128::from(self.rate.per_second) / 1_000_000_000;
        // The cost is rounded down, which must not let the last token vanish from a full bucket.
        if self.missing() == 0 { self.rate.burst } else { (tokens as u32).min(self.rate.burst) }
    }

    fn spend(&mut self, count: u32) {
        self.full_at = self.full_at.saturating_add(self.rate.cost(count));
        self.spent = self.spent.saturating_add(count);
    }

    fn debt(&self) -> Duration {
        Duration::from_nanos(self.missing().saturating_sub(self.rate.cost(self.rate.burst)))
    }

    fn wait(&self, wanted: u32) -> Duration {
        let missing = self.missing().saturating_add(self.rate.cost(wanted));
        Duration::from_nanos(missing.saturating_sub(self.rate.cost(self.rate.burst)))
    }

    fn verdict(&self, allowed: bool, wanted: u32) -> Verdict {
        Verdict {
            allowed,
            limit: self.rate.burst,
            remaining: self.available(),
            reset: Duration::from_nanos(self.missing()),
            retry_after: if allowed { Duration::ZERO } else { self.wait(wanted) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RATE: Rate = Rate { per_second: 10, burst: 5 };

    #[test]
    fn a_bucket_empties_and_fills() {
        let limiter = Limiter::new(RATE, Sharing::Alone);
        let start = limiter.start;
        let verdict = limiter.take_at("a", 5, start);
        assert_eq!((verdict.allowed, verdict.remaining, verdict.limit), (true, 0, 5));
        assert_eq!(verdict.reset, Duration::from_millis(500));
        let verdict = limiter.take_at("a", 2, start);
        assert_eq!((verdict.allowed, verdict.retry_after), (false, Duration::from_millis(200)));
        assert!(limiter.take_at("b", 5, start).allowed, "users do not share");
        assert!(limiter.take_at("a", 2, start + Duration::from_millis(200)).allowed);
        assert_eq!(limiter.take_some_at("a", 9, start + Duration::from_millis(500)), 3);
        assert_eq!(limiter.charge_at("a", 3, start + Duration::from_millis(500)), Duration::from_millis(300));
        assert_eq!(
            limiter.take_some_at("a", 9, start + Duration::from_millis(800)),
            0,
            "the debt comes first"
        );
        assert_eq!(
            limiter.take_at("a", 6, start + Duration::from_mins(1)).remaining,
            5,
            "never above the burst"
        );
    }

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let limiter = Limiter::with_capacity(RATE, Sharing::Alone, 100);
        for user in 0..10_000 {
            assert!(limiter.take_at(&user.to_string(), 1, limiter.start).allowed);
        }
        assert!(limiter.lock().kept.len() <= 100);
        let later = limiter.start + Duration::from_secs(1);
        limiter.take_at("one more", 5, later);
        for user in 0..100 {
            limiter.take_at(&user.to_string(), 1, later);
        }
        assert!(!limiter.take_at("one more", 1, later).allowed, "the fullest buckets go first");
    }

    #[test]
    fn what_others_took_is_missing_here() {
        let limiter = Limiter { sharing: Sharing::Shared, ..Limiter::frozen(RATE) };
        assert_eq!(limiter.take_some("a", 2), 2);
        assert_eq!(limiter.take_some("a", 1), 1);
        let owing = limiter.owing();
        assert_eq!(owing, [Owing { user: "a".into(), tokens: 3 }]);
        assert_eq!(limiter.owing(), [], "told once");
        limiter.owe(&owing[0]);
        assert_eq!(limiter.owing(), owing, "unless it could not be told");
        assert_eq!(limiter.take_some("a", 1), 1);
        // Three were told, and one was taken elsewhere: four are missing there, and one more here.
        limiter.adopt("a", Duration::from_millis(400));
        assert_eq!(limiter.take_some("a", 1), 0);
        limiter.adopt("a", Duration::ZERO);
        assert_eq!(limiter.take_some("a", 1), 0, "a Redis that forgot gives nothing away");
        limiter.adopt("b", Duration::from_millis(500));
        assert_eq!(limiter.take_some("b", 1), 0);
    }

    #[test]
    fn what_flowed_in_again_is_owed_to_nobody() {
        let shared = || Limiter::new(RATE, Sharing::Shared);
        let limiter =
            Limiter { start: Instant::now().checked_sub(Duration::from_secs(9)).unwrap(), ..shared() };
        limiter.take_at("a", 5, limiter.start);
        assert_eq!(limiter.owing(), []);
    }

    proptest! {
        /// Whatever is asked when: what is given in any time is at most the burst and what flowed in.
        #[test]
        fn never_more_than_burst_and_rate(
            per_second in 1..500_u32,
            burst in 1..500_u32,
            asks in proptest::collection::vec((0..300_u64, 0..40_u32, any::<bool>()), 1..200),
        ) {
            let limiter = Limiter::new(Rate { per_second, burst }, Sharing::Alone);
            let (mut millis, mut given) = (0, 0_u64);
            for (pause, count, all) in asks {
                millis += pause;
                let now = limiter.start + Duration::from_millis(millis);
                given += if all {
                    let verdict = limiter.take_at("a", count, now);
                    if verdict.allowed { u64::from(count) } else { 0 }
                } else {
                    u64::from(limiter.take_some_at("a", count, now))
                };
                // One token of slack: costs are rounded down to whole nanoseconds.
                prop_assert!(given <= u64::from(burst) + u64::from(per_second) * millis / 1_000 + 1);
            }
        }

        /// Who waits as told is let in.
        #[test]
        fn retry_after_is_enough(per_second in 1..500_u32, burst in 1..500_u32, count in 1..500_u32) {
            let count = count.min(burst);
            let limiter = Limiter::new(Rate { per_second, burst }, Sharing::Alone);
            limiter.take_at("a", burst, limiter.start);
            let verdict = limiter.take_at("a", count, limiter.start);
            prop_assert!(!verdict.allowed);
            let later = limiter.start + verdict.retry_after + Duration::from_nanos(1);
            prop_assert!(limiter.take_at("a", count, later).allowed);
        }
    }
}
