//! All latencies are kept, so that a percentile is a value that actually occurred.

use std::time::Duration;

/// Microseconds, one for each acked message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    pub(crate) fn note(&mut self, latency: Duration) {
        self.0.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    pub(crate) fn absorb(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The smallest latency that at least `percent` of all do not exceed, in milliseconds; `None` if there are none.
    pub(crate) fn percentile(&mut self, percent: f64) -> Option<f64> {
        if self.0.is_empty() {
            return None;
        }
        let place = ((percent / 100.0 * self.0.len() as f64).ceil() as usize).clamp(1, self.0.len()) - 1;
        let (_, &mut micros, _) = self.0.select_nth_unstable(place);
        Some(f64::from(micros) / 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile(50.0), None);
        for millis in (1..=100).rev() {
            latencies.note(Duration::from_millis(millis));
        }
        assert_eq!(latencies.percentile(0.0), Some(1.0));
        assert_eq!(latencies.percentile(50.0), Some(50.0));
        assert_eq!(latencies.percentile(99.0), Some(99.0));
        assert_eq!(latencies.percentile(100.0), Some(100.0));
        let mut one = Latencies::default();
        one.note(Duration::from_micros(1_500));
        assert_eq!((one.percentile(50.0), one.percentile(99.0)), (Some(1.5), Some(1.5)));
        latencies.absorb(one);
        assert_eq!(latencies.percentile(50.0), Some(50.0));
    }
}
