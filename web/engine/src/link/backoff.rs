//! Pauses between attempts to connect.

/// The first pause; it doubles with each attempt in a row.
const FIRST_MS: u32 = 500;
/// Nobody waits longer than this for a relay that is back.
const LONGEST_MS: u32 = 8_000;

/// The pause before attempt number `attempt` (from 0), milliseconds. `random` in 0 … 1 spreads clients over
/// half of it, so that a relay that restarts is not met by all at once.
pub(crate) fn pause_ms(attempt: u32, random: f64) -> u32 {
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
