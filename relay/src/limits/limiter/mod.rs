//! Token buckets, one per user and kind, in bounded memory. A full bucket needs no memory: it is dropped, and created
//! again when it is next used.
//!
//! A limiter may share its buckets with other relays: it then records what was taken, and
//! `replicas/redis/limits.rs` tells the others and brings back what they took.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::bucket::{Bucket, Verdict};
use crate::config::Rate;

/// Maximum number of users with a bucket. About 100 bytes each.
const MAX_BUCKETS: usize = 100_000;
/// Once more than this part of the burst was taken, the other relays are told at once.
const EARLY_SYNC_DIVISOR: u32 = 16;

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
    /// Wakes the task that shares the buckets.
    sync_now: Notify,
}

/// Whether the buckets are shared with other relays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    Alone,
    Shared,
}

#[derive(Debug, Default)]
struct Buckets {
    entries: HashMap<Box<str>, Entry>,
    /// Users about whom the others must be told, each once.
    unsynced: Vec<Box<str>>,
}

/// A bucket that is not full.
#[derive(Debug)]
struct Entry {
    /// When it is full again, in nanoseconds since the limiter's start.
    full_at: u64,
    /// Tokens taken that the others have not been told about.
    unsynced: u32,
}

/// Tokens of a user that the other relays do not know about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsyncedTokens {
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
            sync_now: Notify::new(),
        }
    }

    /// One for which no time passes, for tests.
    #[cfg(test)]
    pub(crate) fn frozen(rate: Rate) -> Self {
        Self { clock: |start| start, ..Self::new(rate, Sharing::Alone) }
    }

    /// Fills a user's bucket, for tests.
    #[cfg(test)]
    pub(crate) fn refill(&self, user: &str) {
        self.lock().entries.remove(user);
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
        let before = buckets.entries.get(user).map_or(0, |entry| entry.full_at).max(now);
        let mut bucket = Bucket { rate: self.rate, now, full_at: before, spent: 0 };
        let answer = act(&mut bucket);
        let spent = if self.sharing == Sharing::Shared { bucket.spent } else { 0 };
        self.keep(&mut buckets, user, bucket.full_at, spent, now);
        answer
    }

    fn keep(&self, buckets: &mut Buckets, user: &str, full_at: u64, spent: u32, now: u64) {
        let unsynced = match buckets.entries.get_mut(user) {
            Some(entry) => {
                let unsynced = entry.unsynced;
                *entry = Entry { full_at, unsynced: unsynced.saturating_add(spent) };
                unsynced
            }
            None if full_at <= now => return,
            None => {
                if buckets.entries.len() >= self.max_buckets {
                    evict(&mut buckets.entries, now);
                    let Buckets { entries, unsynced } = buckets;
                    unsynced.retain(|user| entries.contains_key(user));
                }
                buckets.entries.insert(user.into(), Entry { full_at, unsynced: spent });
                0
            }
        };
        if spent > 0 {
            if unsynced == 0 {
                buckets.unsynced.push(user.into());
            }
            if unsynced.saturating_add(spent) > self.rate.burst / EARLY_SYNC_DIVISOR {
                self.sync_now.notify_one();
            }
        }
    }

    /// Returns once so much was taken that the others should know.
    pub(crate) async fn sync_needed(&self) {
        self.sync_now.notified().await;
    }

    /// What the others must be told: what was taken and has not been refilled since.
    pub(crate) fn take_unsynced(&self) -> Vec<UnsyncedTokens> {
        let now = self.nanos(self.now());
        let mut buckets = self.lock();
        let users = std::mem::take(&mut buckets.unsynced);
        let unsynced = users.into_iter().filter_map(|user| {
            let entry = buckets.entries.get_mut(&user)?;
            let missing = entry.full_at.saturating_sub(now);
            let missing = u128::from(missing) * u128::from(self.rate.per_second);
            let tokens = u128::from(std::mem::take(&mut entry.unsynced)).min(missing.div_ceil(1_000_000_000));
            (tokens > 0).then_some(UnsyncedTokens { user, tokens: tokens as u32 })
        });
        unsynced.collect()
    }

    /// The others could not be told.
    pub(crate) fn restore_unsynced(&self, taken: &UnsyncedTokens) {
        let mut buckets = self.lock();
        let Buckets { entries, unsynced: users } = &mut *buckets;
        if let Some(entry) = entries.get_mut(&taken.user) {
            if entry.unsynced == 0 {
                users.push(taken.user.clone());
            }
            entry.unsynced = entry.unsynced.saturating_add(taken.tokens);
        }
    }

    /// Adopts what all relays together took: `missing` until the shared bucket is full. Never fills a bucket: what the
    /// others forgot is still known here.
    pub(crate) fn adopt(&self, user: &str, missing: Duration) {
        let now = self.nanos(self.now());
        let mut buckets = self.lock();
        let (full_at, unsynced) =
            buckets.entries.get(user).map_or((0, 0), |entry| (entry.full_at, entry.unsynced));
        let missing = u64::try_from(missing.as_nanos()).unwrap_or(u64::MAX);
        let shared = now.saturating_add(missing).saturating_add(self.rate.cost(unsynced));
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

/// Drops the buckets that are full again; if there are none, the fuller half, which helps a flood of strangers least.
fn evict(buckets: &mut HashMap<Box<str>, Entry>, now: u64) {
    let before = buckets.len();
    buckets.retain(|_, entry| entry.full_at > now);
    if buckets.len() < before {
        return;
    }
    let mut times: Vec<u64> = buckets.values().map(|entry| entry.full_at).collect();
    let middle = times.len() / 2;
    let (_, &mut median, _) = times.select_nth_unstable(middle);
    buckets.retain(|_, entry| entry.full_at > median);
}

#[cfg(test)]
mod tests;
