//! Which frames are looked at for landmarks: as few as show a head that turns and an eye that blinks. In between, the
//! tracker holds what was seen.

use mien_models::Landmarks;

/// Every third frame at 30 frames a second, every second one at 15, and each one below 12. A blink takes 100 ms and
/// more.
const EVERY_MS: f64 = 80.0;

#[derive(Debug, Default)]
pub(super) struct LandmarkPace {
    last_ms: Option<f64>,
}

impl LandmarkPace {
    /// For the frame that is sent now. Costs nothing where no worker has the models.
    pub(super) fn next(&mut self, now_ms: f64) -> Landmarks {
        if self.last_ms.is_some_and(|last| now_ms - last < EVERY_MS) {
            return Landmarks::InDoubt;
        }
        self.last_ms = Some(now_ms);
        Landmarks::All
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slower_the_source_the_larger_the_share() {
        for (frame_ms, frames, expected) in [(33.4, 30, 10), (66.7, 30, 15), (125.0, 30, 30)] {
            let mut pace = LandmarkPace::default();
            let looks = (0..frames).map(|frame| pace.next(f64::from(frame) * frame_ms));
            assert_eq!(looks.filter(|look| *look == Landmarks::All).count(), expected, "{frame_ms} ms");
        }
    }
}
