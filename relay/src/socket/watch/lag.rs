//! How far behind watchers are, as a metric.

use prometheus_client::metrics::gauge::Gauge;

/// One watcher's share of the gauge, subtracted when it goes.
pub(super) struct Lag {
    gauge: Gauge,
    part: i64,
}

impl Lag {
    pub(super) fn new(gauge: &Gauge) -> Self {
        Self { gauge: gauge.clone(), part: 0 }
    }

    pub(super) fn set(&mut self, samples: u64) {
        let part = i64::try_from(samples).unwrap_or(i64::MAX);
        self.gauge.inc_by(part - self.part);
        self.part = part;
    }
}

impl Drop for Lag {
    fn drop(&mut self) {
        self.set(0);
    }
}
