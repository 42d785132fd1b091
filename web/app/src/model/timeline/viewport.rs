//! Which stretch of the timeline is on screen: how long, and whether it follows the newest sample.

/// A shorter one would show single columns as bars.
const MIN_SPAN_MS: u64 = 10_000;
/// What a live timeline keeps.
const MAX_SPAN_MS: u64 = 30 * 60_000;
/// A minute and a half: the context of a conversation's last turns.
const DEFAULT_SPAN_MS: u64 = 90_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Follows the newest sample.
    Newest,
    At(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewport {
    span_ms: u64,
    end: End,
}

impl Default for Viewport {
    fn default() -> Self {
        Self { span_ms: DEFAULT_SPAN_MS, end: End::Newest }
    }
}

impl Viewport {
    pub fn span_ms(&self) -> u64 {
        self.span_ms
    }

    pub fn follows(&self) -> bool {
        self.end == End::Newest
    }

    /// First and last instant on screen, Unix milliseconds.
    pub fn range(&self, newest_ms: u64) -> (u64, u64) {
        let end = match self.end {
            End::Newest => newest_ms,
            End::At(at) => at.min(newest_ms),
        };
        (end.saturating_sub(self.span_ms), end)
    }

    /// The instant at a share of the width, 0 … 1.
    pub fn instant_at(&self, share: f64, newest_ms: u64) -> u64 {
        let (from, _) = self.range(newest_ms);
        from + (share.clamp(0.0, 1.0) * self.span_ms as f64) as u64
    }

    /// Shows `factor` times as much. While following, the newest edge stays; otherwise the instant under
    /// `anchor` (a share of the width) does.
    #[must_use]
    pub fn zoomed(self, factor: f64, anchor: f64, newest_ms: u64) -> Self {
        let span_ms = ((self.span_ms as f64 * factor) as u64).clamp(MIN_SPAN_MS, MAX_SPAN_MS);
        if self.follows() {
            return Self { span_ms, ..self };
        }
        let anchored = self.instant_at(anchor, newest_ms);
        let after = ((1.0 - anchor.clamp(0.0, 1.0)) * span_ms as f64) as u64;
        Self { span_ms, end: End::At(anchored + after) }.settled(newest_ms)
    }

    /// Moves by a share of the width; negative goes to the past. Reaching the newest sample follows it again.
    #[must_use]
    pub fn panned(self, share: f64, oldest_ms: u64, newest_ms: u64) -> Self {
        let (_, end) = self.range(newest_ms);
        let step = (share * self.span_ms as f64) as i64;
        // The oldest sample may be pulled in as far as the left edge, no further.
        let earliest = oldest_ms.saturating_add(self.span_ms).min(newest_ms);
        let end = end.saturating_add_signed(step).max(earliest);
        Self { end: End::At(end), ..self }.settled(newest_ms)
    }

    /// Shows this stretch, as far as the bounds of a zoom allow; its end counts where it is longer.
    #[must_use]
    pub fn showing(from_ms: u64, to_ms: u64, newest_ms: u64) -> Self {
        let span_ms = to_ms.saturating_sub(from_ms).clamp(MIN_SPAN_MS, MAX_SPAN_MS);
        Self { span_ms, end: End::At(to_ms) }.settled(newest_ms)
    }

    #[must_use]
    pub fn following(self) -> Self {
        Self { end: End::Newest, ..self }
    }

    fn settled(self, newest_ms: u64) -> Self {
        match self.end {
            End::At(at) if at >= newest_ms => self.following(),
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWEST: u64 = 10_000_000;
    const OLDEST: u64 = NEWEST - 1_000_000;

    #[test]
    fn following_keeps_the_newest_at_the_edge() {
        let view = Viewport::default().zoomed(2.0, 0.3, NEWEST);
        assert!(view.follows());
        assert_eq!(view.range(NEWEST), (NEWEST - 180_000, NEWEST));
    }

    #[test]
    fn zoom_is_bounded() {
        assert_eq!(Viewport::default().zoomed(1e-9, 0.5, NEWEST).span_ms(), MIN_SPAN_MS);
        assert_eq!(Viewport::default().zoomed(1e9, 0.5, NEWEST).span_ms(), MAX_SPAN_MS);
    }

    #[test]
    fn panning_stops_at_both_ends() {
        let back = Viewport::default().panned(-1.0, OLDEST, NEWEST);
        assert!(!back.follows());
        assert_eq!(back.range(NEWEST).1, NEWEST - 90_000);
        assert_eq!(back.range(NEWEST + 5_000), back.range(NEWEST), "stays while time moves on");
        assert!(back.panned(5.0, OLDEST, NEWEST).follows());
        let far = Viewport::default().panned(-500.0, OLDEST, NEWEST);
        assert_eq!(far.range(NEWEST).0, OLDEST);
        let short = Viewport::default().panned(-1.0, NEWEST - 5_000, NEWEST);
        assert!(short.follows(), "nothing older to see");
    }

    #[test]
    fn a_stretch_can_be_selected() {
        let view = Viewport::showing(OLDEST, OLDEST + 300_000, NEWEST);
        assert_eq!(view.range(NEWEST + 5_000), (OLDEST, OLDEST + 300_000));
        assert!(Viewport::showing(OLDEST, NEWEST, NEWEST).follows());
    }

    #[test]
    fn zooming_keeps_what_is_under_the_pointer() {
        let view = Viewport::default().panned(-2.0, OLDEST, NEWEST);
        let before = view.instant_at(0.25, NEWEST);
        let after = view.zoomed(0.5, 0.25, NEWEST).instant_at(0.25, NEWEST);
        assert!(before.abs_diff(after) <= 2);
    }
}
