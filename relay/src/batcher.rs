//! Group commit.

use std::time::Duration;

use crate::metrics::Metrics;
use crate::store::Store;

#[derive(Clone, Debug)]
pub struct Batcher {}

impl Batcher {
    pub fn start(_store: Store, _metrics: Metrics, _rows: usize, _interval: Duration) -> Self {
        Self {}
    }

    /// Whether commits fail at the moment.
    pub fn is_failing(&self) -> bool {
        false
    }

    /// Returns once everything handed in before is committed.
    pub async fn flush(&self) {}
}
