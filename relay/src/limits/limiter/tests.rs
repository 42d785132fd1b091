//! Rates, in bounded memory and shared with other relays.

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
    assert_eq!(limiter.take_some_at("a", 9, start + Duration::from_millis(800)), 0, "the debt comes first");
    assert_eq!(limiter.take_at("a", 6, start + Duration::from_mins(1)).remaining, 5, "never above the burst");
}

#[test]
fn strangers_cannot_fill_the_memory() {
    let limiter = Limiter::with_capacity(RATE, Sharing::Alone, 100);
    for user in 0..10_000 {
        assert!(limiter.take_at(&user.to_string(), 1, limiter.start).allowed);
    }
    assert!(limiter.lock().entries.len() <= 100);
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
    let taken = limiter.take_unsynced();
    assert_eq!(taken, [UnsyncedTokens { user: "a".into(), tokens: 3 }]);
    assert_eq!(limiter.take_unsynced(), [], "told once");
    limiter.restore_unsynced(&taken[0]);
    assert_eq!(limiter.take_unsynced(), taken, "unless it could not be told");
    assert_eq!(limiter.take_some("a", 1), 1);
    // Three were reported, and one was taken elsewhere: four are missing there, and one more here.
    limiter.adopt("a", Duration::from_millis(400));
    assert_eq!(limiter.take_some("a", 1), 0);
    limiter.adopt("a", Duration::ZERO);
    assert_eq!(limiter.take_some("a", 1), 0, "a Redis that forgot gives nothing away");
    limiter.adopt("b", Duration::from_millis(500));
    assert_eq!(limiter.take_some("b", 1), 0);
}

#[test]
fn what_was_refilled_is_not_synced() {
    let shared = || Limiter::new(RATE, Sharing::Shared);
    let limiter = Limiter { start: Instant::now().checked_sub(Duration::from_secs(9)).unwrap(), ..shared() };
    limiter.take_at("a", 5, limiter.start);
    assert_eq!(limiter.take_unsynced(), []);
}

proptest! {
    /// Whatever is requested and when: what is granted in any time is at most the burst plus what was refilled.
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

    /// A caller that waits as told is let in.
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
