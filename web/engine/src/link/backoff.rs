//! Pauses between attempts to connect.

/// The first pause; it doubles with each consecutive attempt.
const FIRST_MS: u32 = 500;
/// A relay that is back is noticed after this at the latest.
const LONGEST_MS: u32 = 8_000;

/// The pause before attempt number `attempt` (from 0), milliseconds. `random` in 0 … 1 spreads clients over half of it,
/// so that a relay that restarts does not meet all of them at once.
pub(super) fn pause_ms(attempt: u32, random: f64) -> u32 {
    let full = FIRST_MS.saturating_mul(1 << attempt.min(10)).min(LONGEST_MS);
    full / 2 + (f64::from(full / 2) * random.clamp(0.0, 1.0)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_are_spread() {
        assert_eq!((pause_ms(0, 0.0), pause_ms(0, 1.0)), (250, 500));
        assert_eq!((pause_ms(2, 0.0), pause_ms(2, 1.0)), (1_000, 2_000));
        assert_eq!((pause_ms(40, 0.0), pause_ms(40, 1.0)), (4_000, 8_000));
    }
}
