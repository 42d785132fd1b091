//! How long a connection delays its next send, so that messages are coalesced.
//!
//! A small message costs as much as its send. The more peers there are, the longer the delay, which bounds the sends to
//! all of them together; a handful of peers get everything at once.

use std::time::Duration;

/// A shorter delay is not worth a timer.
const SHORTEST: Duration = Duration::from_millis(4);

/// A delay that grows with the number of peers.
#[derive(Clone, Copy, Debug)]
pub(super) struct CoalesceDelay {
    pub(super) per_peer: Duration,
    pub(super) longest: Duration,
}

impl CoalesceDelay {
    /// Zero if it would be too short.
    pub(super) fn for_peers(self, peers: u64) -> Duration {
        let delay = u32::try_from(peers).ok().and_then(|peers| self.per_peer.checked_mul(peers));
        let delay = delay.map_or(self.longest, |delay| delay.min(self.longest));
        if delay < SHORTEST { Duration::ZERO } else { delay }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_do_not_wait_and_many_not_for_long() {
        let delay =
            CoalesceDelay { per_peer: Duration::from_micros(300), longest: Duration::from_millis(150) };
        assert_eq!([0, 1, 13].map(|peers| delay.for_peers(peers)), [Duration::ZERO; 3]);
        assert_eq!(delay.for_peers(100), Duration::from_millis(30));
        assert_eq!([500, 100_000, u64::MAX].map(|peers| delay.for_peers(peers)), [delay.longest; 3]);
    }
}
