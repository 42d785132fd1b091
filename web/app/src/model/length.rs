//! A recording's length, and what makes it up.

use std::collections::BTreeMap;

use mien_shared::SkipReason;

use super::format;

/// A part of a length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Why nothing was analysed; `None` for analysed time.
    pub skipped: Option<SkipReason>,
    /// Below 0 where the clock was set back.
    pub ms: i64,
    /// In whole seconds, such that the parts of a length add up to [`format::duration`] of it.
    pub text: String,
}

/// Analysed time, then the rest by reason. They add up to the length.
pub fn parts(length_ms: u64, skipped: &BTreeMap<SkipReason, i64>) -> Vec<Part> {
    let (mut analysed_ms, mut analysed_s) = (length_ms.cast_signed(), (length_ms / 1_000).cast_signed());
    let mut parts = Vec::new();
    for (&reason, &ms) in skipped.iter().filter(|(_, ms)| **ms != 0) {
        let seconds = (ms + 500).div_euclid(1_000);
        analysed_ms -= ms;
        analysed_s -= seconds;
        parts.push(Part { skipped: Some(reason), ms, text: signed(seconds) });
    }
    parts.insert(0, Part { skipped: None, ms: analysed_ms, text: signed(analysed_s) });
    parts
}

fn signed(seconds: i64) -> String {
    let sign = if seconds < 0 { "−" } else { "" };
    format!("{sign}{}", format::duration(seconds.unsigned_abs() * 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(length_ms: u64, skipped: &[(SkipReason, i64)]) -> Vec<String> {
        let parts = parts(length_ms, &skipped.iter().copied().collect());
        assert_eq!(parts.iter().map(|part| part.ms).sum::<i64>(), length_ms.cast_signed());
        parts.into_iter().map(|part| part.text).collect()
    }

    #[test]
    fn parts_add_up_also_as_they_are_read() {
        assert_eq!(words(9_999, &[]), ["0:09"]);
        // Each alone would be cut to its second: 0:07, 0:03 and 0:09 are not 0:21.
        assert_eq!(
            words(21_900, &[(SkipReason::Paused, 3_950), (SkipReason::Hidden, 7_990)]),
            ["0:09", "0:04", "0:08"]
        );
        assert_eq!(words(60_000, &[(SkipReason::Stalled, 0)]), ["1:00"]);
        assert_eq!(words(10_000, &[(SkipReason::ClockStep, -120_000)]), ["2:10", "−2:00"]);
        assert_eq!(words(10_000, &[(SkipReason::Paused, 9_900)]), ["0:00", "0:10"]);
    }
}
