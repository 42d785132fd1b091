//! How often the relay's threads wake.
//!
//! A thread that wakes for one sample, and sleeps until the next comes, pays for falling asleep and for waking with
//! each of them. So under load a thread that has run out of work naps before it looks again, and finds what
//! came meanwhile all at once: what network cards call interrupt moderation. It costs at most one [`NAP`] of
//! latency, and only while there is a load; a relay that has little to do answers at once.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;

/// A fifth of what a commit lets gather, so that acks hardly come later.
const NAP: Duration = Duration::from_millis(1);
/// How long a thread is watched before it is said to be busy, or no longer.
const WINDOW: Duration = Duration::from_millis(20);
/// The part of a window in which a busy thread works, at least: one in so many. Below it, wakes are too few for
/// their cost to matter.
const BUSY_ONE_IN: u32 = 10;

thread_local! {
    static RHYTHM: RefCell<Rhythm> = RefCell::new(Rhythm::new(Instant::now()));
}

/// Has the runtime's threads nap under load.
pub fn moderate(runtime: &mut Builder) -> &mut Builder {
    runtime
        .on_thread_park(|| {
            let nap = RHYTHM.with_borrow_mut(|rhythm| rhythm.rest(Instant::now()));
            if let Some(nap) = nap {
                std::thread::sleep(nap);
            }
        })
        .on_thread_unpark(|| RHYTHM.with_borrow_mut(|rhythm| rhythm.wake(Instant::now())))
}

/// One thread's work and rest.
#[derive(Debug)]
struct Rhythm {
    /// When the window began, and what was worked in it.
    since: Instant,
    worked: Duration,
    /// When the thread last woke.
    woke: Instant,
    busy: bool,
}

impl Rhythm {
    fn new(now: Instant) -> Self {
        Self { since: now, worked: Duration::ZERO, woke: now, busy: false }
    }

    /// The thread has run out of work. How long it should nap before it looks again.
    fn rest(&mut self, now: Instant) -> Option<Duration> {
        self.worked += now.saturating_duration_since(self.woke);
        let window = now.saturating_duration_since(self.since);
        if window >= WINDOW {
            self.busy = self.worked * BUSY_ONE_IN >= window;
            (self.since, self.worked) = (now, Duration::ZERO);
        }
        self.busy.then_some(NAP)
    }

    fn wake(&mut self, now: Instant) {
        self.woke = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds of so much work and so much sleep, and in how many of them it naps.
    fn naps(rounds: u32, work: Duration, sleep: Duration) -> u32 {
        let mut now = Instant::now();
        let mut rhythm = Rhythm::new(now);
        let mut naps = 0;
        for _ in 0..rounds {
            now += work;
            naps += u32::from(rhythm.rest(now).is_some());
            now += sleep;
            rhythm.wake(now);
        }
        naps
    }

    #[test]
    fn a_thread_naps_only_under_load() {
        let micros = Duration::from_micros;
        assert_eq!(naps(1_000, micros(30), micros(1_000)), 0, "a sample now and then");
        assert!(naps(1_000, micros(30), micros(100)) > 800, "many small ones");
        assert!(naps(1_000, micros(200), micros(1_050)) > 900, "also when it naps already");
        assert!(naps(10, Duration::from_secs(1), Duration::from_hours(1)) <= 1, "rare, however long");
    }
}
