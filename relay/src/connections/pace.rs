//! The least speed of an answer: a kibibyte a second on average, while there is something to be taken.

use std::time::Duration;

use tokio::time::Instant;

/// Slower than the slowest network that a page was ever loaded over.
const LEAST_BYTES_PER_SECOND: f64 = 1_024.0;

/// How long a peer can still rest: what it has taken, in time at the least speed, less the time that went by; at most
/// the patience with one that takes nothing at all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// `None` until it is looked at first: all of the patience.
    credit: Option<Duration>,
    at: Instant,
    taken: u64,
}

impl Pace {
    pub(super) fn start(now: Instant, taken: u64) -> Self {
        Self { credit: None, at: now, taken }
    }

    /// When to look again, or `None` where the patience is over.
    pub(super) fn look(
        &mut self,
        now: Instant,
        taken: u64,
        blocked: bool,
        patience: Duration,
    ) -> Option<Instant> {
        let gained = Duration::from_secs_f64((taken - self.taken) as f64 / LEAST_BYTES_PER_SECOND);
        let credit = (self.credit.unwrap_or(patience) + gained).min(patience);
        // Who waits for us, as for a store that is slow, owes nothing.
        let left = if blocked { credit.saturating_sub(now.duration_since(self.at)) } else { patience };
        *self = Self { credit: Some(left), at: now, taken };
        (!left.is_zero()).then(|| now + (patience / 4).min(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// Looks whenever the pace says so; each answer is how much more was taken since, and whether some is left.
    fn lasts(steps: impl IntoIterator<Item = (u64, bool)>) -> Option<Duration> {
        let start = Instant::now();
        let (mut now, mut taken, mut pace) = (start, 0, Pace::start(start, 0));
        for (more, blocked) in steps {
            taken += more;
            match pace.look(now, taken, blocked, PATIENCE) {
                Some(next) => now = next,
                None => return Some(now - start),
            }
        }
        None
    }

    #[test]
    fn a_peer_that_takes_nothing_is_cut_when_patience_ends() {
        assert_eq!(lasts([(0, true); 100]), Some(PATIENCE));
        assert_eq!(lasts([(3_000_000, true)].into_iter().chain([(0, true); 100])), Some(PATIENCE));
    }

    #[test]
    fn one_that_takes_too_little_is_cut_and_one_that_takes_enough_is_not() {
        // Looked at every 7.5 s.
        assert!(lasts([(1, true); 100]).is_some());
        assert!(lasts([(6_000, true); 1_000]).is_some());
        assert_eq!(lasts([(8_000, true); 1_000]), None);
        let in_large_steps = (0..1_000).map(|step| (if step % 3 == 0 { 65_536 } else { 0 }, true));
        assert_eq!(lasts(in_large_steps), None);
    }

    #[test]
    fn who_waits_for_us_is_never_cut() {
        assert_eq!(lasts([(0, false); 1_000]), None);
    }
}
