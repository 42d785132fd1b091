//! The throttle of one ingest connection: what passes at the user's rate, and what is held back.
//!
//! Stored and rejected samples cost tokens, duplicates do not. What looks like a duplicate passes for free; if the store
//! then says that it was a late sample, the connection pays afterwards.

use std::time::{Duration, Instant};

use mien_shared::limits::MAX_PAST_THROTTLE;

use crate::limits::Limiter;
use crate::store::Item;

/// Part of a second for which a throttled client waits at least, if it has that much to send: waiting for a single
/// sample would turn one throttle into hundreds.
const WAIT_DIVISOR: u32 = 4;

/// A client may start its pause a little before the relay does, and clocks tick.
const EARLY_RETRY_TOLERANCE: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(super) struct Throttle {
    /// The highest seq that passed, or that the source was answered for before.
    high: u64,
    /// Nothing at or above this seq passes until exactly this seq comes again.
    held_from: Option<u64>,
    /// When it may come again.
    retry_at: Option<Instant>,
    /// Samples at or above it that came in later messages.
    past: u64,
}

/// What became of a message.
#[derive(Debug, PartialEq)]
pub(super) struct Passed {
    pub(super) items: Vec<Item>,
    pub(super) notice: Option<ThrottleNotice>,
    /// Samples held back.
    pub(super) held: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ThrottleNotice {
    pub(super) from: u64,
    pub(super) retry_after: Duration,
}

/// The client keeps sending although it was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ThrottleIgnored;

impl Throttle {
    pub(super) fn new(through: u64) -> Self {
        Self { high: through, held_from: None, retry_at: None, past: 0 }
    }

    pub(super) fn pass(
        &mut self,
        mut items: Vec<Item>,
        limiter: &Limiter,
        user: &str,
        now: Instant,
    ) -> Result<Passed, ThrottleIgnored> {
        let came = items.len();
        let was_held = self.held_from;
        self.hold_back(&mut items);
        // A client that retries when told has honoured the throttle, even if others of the user were faster.
        let honoured = self.held_from.is_none() && self.retry_at.is_some_and(|at| now >= at);
        let cost = self.cost(&items);
        let paid = limiter.take_some(user, cost);
        if paid < cost {
            self.cut(&mut items, paid);
        } else {
            self.high = items.iter().map(seq_of).fold(self.high, u64::max);
        }
        let held = (came - items.len()) as u64;
        if was_held.is_some() && !honoured && self.held_from.is_some_and(|from| Some(from) <= was_held) {
            self.past += held;
            if self.past > MAX_PAST_THROTTLE {
                return Err(ThrottleIgnored);
            }
        } else {
            self.past = 0;
        }
        let notice = (paid < cost).then(|| {
            let wanted = u32::try_from(held).unwrap_or(u32::MAX);
            let enough = (limiter.rate().per_second / WAIT_DIVISOR).clamp(1, limiter.rate().burst);
            let retry_after = limiter.wait_for(user, wanted.clamp(1, enough));
            self.retry_at = Some(now + retry_after.saturating_sub(EARLY_RETRY_TOLERANCE));
            ThrottleNotice { from: self.held_from.unwrap_or(self.high), retry_after }
        });
        Ok(Passed { items, notice, held })
    }

    /// Whether what it waits for was acked in another way, for example because another relay stored it: it will not
    /// come again.
    pub(super) fn is_overtaken(&self, through: u64) -> bool {
        self.held_from.is_some_and(|from| from <= through)
    }

    /// Drops what is held back, until its first seq comes again.
    fn hold_back(&mut self, items: &mut Vec<Item>) {
        items.retain(|item| match self.held_from {
            Some(from) if seq_of(item) == from => {
                self.held_from = None;
                true
            }
            Some(from) => seq_of(item) < from,
            None => true,
        });
    }

    fn cost(&self, items: &[Item]) -> u32 {
        let mut high = self.high;
        items.iter().filter(|item| costs(item, &mut high)).count() as u32
    }

    /// Lets `paid` samples that cost tokens pass, and all before them that cost nothing; throttles from the first that
    /// was not paid for.
    fn cut(&mut self, items: &mut Vec<Item>, mut paid: u32) {
        items.retain(|item| {
            let seq = seq_of(item);
            if self.held_from.is_some_and(|from| seq >= from) {
                return false;
            }
            let mut high = self.high;
            if costs(item, &mut high) {
                if paid == 0 {
                    self.held_from = Some(seq);
                    return false;
                }
                paid -= 1;
            }
            self.high = high;
            true
        });
    }
}

/// Whether a sample costs a token when it arrives: all except possible duplicates. Raises `high`.
fn costs(item: &Item, high: &mut u64) -> bool {
    let seq = seq_of(item);
    let new = seq > *high;
    *high = seq.max(*high);
    new || item.is_err()
}

fn seq_of(item: &Item) -> u64 {
    match item {
        Ok(sample) => sample.seq,
        Err(refused) => refused.seq,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Rate;
    use mien_shared::Sample;

    fn items(seqs: impl IntoIterator<Item = u64>) -> Vec<Item> {
        seqs.into_iter().map(|seq| Ok(Sample::new(seq, 1, Vec::new()))).collect()
    }

    /// A limiter that is never refilled while a test runs.
    fn limiter(burst: u32) -> Limiter {
        Limiter::frozen(Rate { per_second: 1, burst })
    }

    fn seqs(passage: &Passed) -> Vec<u64> {
        passage.items.iter().map(seq_of).collect()
    }

    #[test]
    fn over_the_rate_it_holds_back_from_there() {
        let (now, limiter, mut throttle) = (Instant::now(), limiter(3), Throttle::new(0));
        let passage = throttle.pass(items(1..=5), &limiter, "a", now).unwrap();
        assert_eq!(seqs(&passage), [1, 2, 3]);
        assert_eq!(passage.notice.map(|notice| notice.from), Some(4));
        assert_eq!(passage.held, 2);
        let passage = throttle.pass(items(6..=9), &limiter, "a", now).unwrap();
        assert_eq!((seqs(&passage), passage.notice), (vec![], None), "on the way, said once");
        assert_eq!(
            seqs(&throttle.pass(items(1..=3), &limiter, "a", now).unwrap()),
            [1, 2, 3],
            "duplicates are free"
        );
        let passage = throttle.pass(items(4..=5), &limiter, "a", now).unwrap();
        assert_eq!(passage.notice.map(|notice| notice.from), Some(4), "too early");
        limiter.refill("a");
        assert_eq!(
            seqs(&throttle.pass(items(5..=6), &limiter, "a", now).unwrap()),
            [0; 0],
            "4 has not come yet"
        );
        assert_eq!(seqs(&throttle.pass(items(4..=6), &limiter, "a", now).unwrap()), [4, 5, 6]);
    }

    #[test]
    fn five_thousand_on_the_way_are_no_offence() {
        let (now, limiter, mut throttle) = (Instant::now(), limiter(1), Throttle::new(0));
        assert_eq!(throttle.pass(items(1..=2), &limiter, "a", now).unwrap().held, 1);
        for start in 0..20 {
            assert!(throttle.pass(items((0..250).map(|n| 3 + start * 250 + n)), &limiter, "a", now).is_ok());
        }
        assert_eq!(throttle.pass(items([9_999]), &limiter, "a", now), Err(ThrottleIgnored));
    }

    #[test]
    fn asking_again_too_early_counts_too() {
        let (now, limiter, mut throttle) = (Instant::now(), limiter(1), Throttle::new(0));
        assert!(throttle.pass(items(1..=250), &limiter, "a", now).is_ok());
        let mut rounds = 0;
        while throttle.pass(items(2..=251), &limiter, "a", now).is_ok() {
            rounds += 1;
        }
        assert_eq!(rounds, MAX_PAST_THROTTLE / 250);
    }

    #[test]
    fn whoever_comes_back_as_told_is_never_ended_though_others_are_faster() {
        let (mut now, limiter, mut throttle) = (Instant::now(), limiter(1), Throttle::new(0));
        let mut passage = throttle.pass(items(1..=250), &limiter, "a", now).unwrap();
        for _ in 0..100 {
            now += passage.notice.unwrap().retry_after;
            passage = throttle.pass(items(2..=251), &limiter, "a", now).unwrap();
        }
    }

    #[test]
    fn refused_samples_cost() {
        let (now, limiter, mut throttle) = (Instant::now(), limiter(2), Throttle::new(10));
        let refused = |seq| Err(mien_shared::protocol::RefusedSample { seq, detail: String::new() });
        let passage = throttle.pass(vec![refused(5), refused(11), refused(12)], &limiter, "a", now).unwrap();
        assert_eq!(seqs(&passage), [5, 11]);
        assert_eq!(passage.notice.map(|notice| notice.from), Some(12));
    }

    #[test]
    fn an_unordered_message_is_held_back_from_its_lowest_unpaid() {
        let (now, limiter, mut throttle) = (Instant::now(), limiter(1), Throttle::new(0));
        let passage = throttle.pass(items([9, 10, 8, 11, 7]), &limiter, "a", now).unwrap();
        assert_eq!(seqs(&passage), [9, 8, 7], "8 and 7 are late: the store refuses them, and they cost then");
        assert_eq!(passage.notice.map(|notice| notice.from), Some(10));
    }
}
