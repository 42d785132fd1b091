//! Limits how often an event is logged that anyone can cause any number of times.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) struct LogLimit {
    interval: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    last: Option<Instant>,
    /// Events since then that were not logged.
    unsaid: u64,
}

impl LogLimit {
    pub(crate) const fn new(interval: Duration) -> Self {
        Self { interval, state: Mutex::new(State { last: None, unsaid: 0 }) }
    }

    /// `Some` if this event may be logged, with the number of those before it that were not.
    pub(crate) fn allow(&self) -> Option<u64> {
        self.allow_at(Instant::now())
    }

    fn allow_at(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.last.is_some_and(|last| now.saturating_duration_since(last) < self.interval) {
            state.unsaid += 1;
            return None;
        }
        state.last = Some(now);
        Some(std::mem::take(&mut state.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_not_flooded_and_knows_how_many_it_was_spared() {
        let interval = Duration::from_secs(10);
        let (limit, start) = (LogLimit::new(interval), Instant::now());
        assert_eq!(limit.allow_at(start), Some(0));
        for millisecond in 0..1_000 {
            assert_eq!(limit.allow_at(start + Duration::from_millis(millisecond)), None);
        }
        assert_eq!(limit.allow_at(start + interval), Some(1_000));
        assert_eq!(limit.allow_at(start + 2 * interval), Some(0));
    }
}
