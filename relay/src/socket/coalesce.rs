//! How long a connection rests after it was sent something, so that what comes meanwhile leaves together.
//!
//! A small message costs what its send costs. The more peers there are, the longer each rests, so that all of them
//! together are sent to no more often than so many times a second; a handful of peers see everything at once.

use std::time::Duration;

/// Below this a rest is not worth a timer.
const SHORTEST: Duration = Duration::from_millis(4);

/// A rest that grows with the number of peers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest {
    /// For each peer there is.
    pub(super) each: Duration,
    pub(super) longest: Duration,
}

impl Rest {
    /// Zero where it is not worth it.
    pub(super) fn among(self, peers: u64) -> Duration {
        let rest = u32::try_from(peers).ok().and_then(|peers| self.each.checked_mul(peers));
        let rest = rest.map_or(self.longest, |rest| rest.min(self.longest));
        if rest < SHORTEST { Duration::ZERO } else { rest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_do_not_wait_and_many_not_for_long() {
        let rest = Rest { each: Duration::from_micros(300), longest: Duration::from_millis(150) };
        assert_eq!([0, 1, 13].map(|peers| rest.among(peers)), [Duration::ZERO; 3]);
        assert_eq!(rest.among(100), Duration::from_millis(30));
        assert_eq!([500, 100_000, u64::MAX].map(|peers| rest.among(peers)), [rest.longest; 3]);
    }
}
