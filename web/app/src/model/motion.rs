//! Values that ease to where the last sample put them: never past it, never ahead of it.

/// The longest motion on the page, milliseconds: long enough to be followed, too short to lag.
pub const EASE_MS: f64 = 150.0;

/// A number on its way from what was shown to what was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Eased {
    from: f32,
    to: f32,
    since_ms: f64,
}

impl Eased {
    pub const fn at_rest(value: f32) -> Self {
        Self { from: value, to: value, since_ms: 0.0 }
    }

    /// Starts towards `to` from what is shown now, so that a new sample never makes it jump.
    #[must_use]
    pub fn toward(self, to: f32, now_ms: f64) -> Self {
        Self { from: self.value(now_ms), to, since_ms: now_ms }
    }

    /// What to show now; a quick start and a soft end.
    pub fn value(&self, now_ms: f64) -> f32 {
        let t = ((now_ms - self.since_ms) / EASE_MS).clamp(0.0, 1.0) as f32;
        let eased = 1.0 - (1.0 - t).powi(3);
        self.from + (self.to - self.from) * eased
    }

    pub fn settled(&self, now_ms: f64) -> bool {
        self.from == self.to || now_ms - self.since_ms >= EASE_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_from_shown_to_measured_and_not_beyond() {
        let eased = Eased::at_rest(0.2).toward(0.8, 1_000.0);
        assert_eq!(eased.value(1_000.0), 0.2);
        let middle = eased.value(1_050.0);
        assert!(middle > 0.2 && middle < 0.8);
        assert_eq!(eased.value(9_000.0), 0.8);
        assert!(eased.settled(1_150.0) && !eased.settled(1_149.0));
    }

    #[test]
    fn a_new_sample_on_the_way_does_not_jump() {
        let first = Eased::at_rest(0.0).toward(1.0, 0.0);
        let second = first.toward(0.0, 60.0);
        assert_eq!(second.value(60.0), first.value(60.0));
    }
}
