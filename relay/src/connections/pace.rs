//! The minimum speed of an answer: a kibibyte a second on average, while there is something to send.

use std::time::Duration;

use tokio::time::Instant;

/// Slower than the slowest network over which a page was ever loaded.
const MIN_BYTES_PER_SECOND: f64 = 1_024.0;

/// How much longer a peer may take nothing: what it has taken, as time at the minimum speed, less the time since; at
/// most the timeout of one that takes nothing at all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// `None` before the first look: the whole timeout.
    credit: Option<Duration>,
    at: Instant,
    taken: u64,
}

impl Pace {
    pub(super) fn start(now: Instant, taken: u64) -> Self {
        Self { credit: None, at: now, taken }
    }

    /// When to look again, or `None` when the time is up.
    pub(super) fn look(
        &mut self,
        now: Instant,
        taken: u64,
        blocked: bool,
        timeout: Duration,
    ) -> Option<Instant> {
        let elapsed = now.duration_since(self.at);
        let gained = Duration::from_secs_f64((taken - self.taken) as f64 / MIN_BYTES_PER_SECOND);
        // A peer that waits for us, for example for a slow store, loses no time.
        let left = if blocked {
            let credit = self.credit.unwrap_or(timeout) + gained;
            credit.min(timeout + elapsed).saturating_sub(elapsed)
        } else {
            timeout
        };
        *self = Self { credit: Some(left), at: now, taken };
        (!left.is_zero()).then(|| now + left.clamp(timeout / 16, timeout / 4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);
    const FOR_EVER: Duration = Duration::from_hours(1);

    /// How long a peer lasts that has taken this much after this many seconds, and has more to take.
    fn lasts(taken: impl Fn(f64) -> f64) -> Option<Duration> {
        let start = Instant::now();
        let (mut now, mut pace) = (start, Pace::start(start, 0));
        while now - start < FOR_EVER {
            match pace.look(now, taken((now - start).as_secs_f64()) as u64, true, PATIENCE) {
                Some(next) => now = next,
                None => return Some(now - start),
            }
        }
        None
    }

    #[test]
    fn a_peer_that_takes_nothing_is_cut_when_patience_ends() {
        assert_eq!(lasts(|_| 0.0), Some(PATIENCE));
        assert_eq!(lasts(|_| 3_000_000.0), Some(PATIENCE), "whatever it took at first");
    }

    #[test]
    fn one_that_takes_too_little_is_cut_and_one_that_takes_enough_is_not() {
        assert!(lasts(|seconds| seconds).is_some());
        assert!(lasts(|seconds| 900.0 * seconds).is_some());
        assert_eq!(lasts(|seconds| 1_100.0 * seconds), None);
        let every = |pause: f64| move |seconds: f64| 65_536.0 * (seconds / pause).floor();
        assert_eq!(lasts(every(20.0)), None);
        assert!(lasts(every(40.0)).is_some());
    }

    #[test]
    fn who_waits_for_us_is_never_cut() {
        let start = Instant::now();
        let (mut now, mut pace) = (start, Pace::start(start, 0));
        while now - start < FOR_EVER {
            now = pace.look(now, 0, false, PATIENCE).unwrap();
        }
    }
}
