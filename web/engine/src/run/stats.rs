//! Counts between two reports of a run.

use super::event::RunStats;

/// Time between two reports. A beat more or less does not matter.
const REPORT_MS: f64 = 900.0;

#[derive(Debug)]
pub(super) struct StatsCounter {
    since_ms: f64,
    captured: u32,
    took_ms: Vec<f32>,
    /// What the pool had skipped when the run began.
    skipped_before: u64,
}

impl StatsCounter {
    pub(super) fn new(now_ms: f64, pool_skipped: u64) -> Self {
        Self { since_ms: now_ms, captured: 0, took_ms: Vec::new(), skipped_before: pool_skipped }
    }

    pub(super) fn captured(&mut self) {
        self.captured += 1;
    }

    pub(super) fn answered(&mut self, took_ms: f32) {
        self.took_ms.push(took_ms);
    }

    pub(super) fn is_due(&self, now_ms: f64) -> bool {
        now_ms - self.since_ms >= REPORT_MS
    }

    /// The figures since the last report.
    pub(super) fn report(&mut self, now_ms: f64, pool_skipped: u64, workers: u32) -> RunStats {
        let seconds = ((now_ms - self.since_ms) / 1_000.0).max(0.001) as f32;
        let mut took = std::mem::take(&mut self.took_ms);
        let captured = std::mem::take(&mut self.captured);
        self.since_ms = now_ms;
        took.sort_by(f32::total_cmp);
        RunStats {
            camera_fps: captured as f32 / seconds,
            analysed_fps: took.len() as f32 / seconds,
            skipped: pool_skipped.saturating_sub(self.skipped_before),
            inference_ms: took.get(took.len() / 2).copied().unwrap_or_default(),
            workers,
        }
    }
}
