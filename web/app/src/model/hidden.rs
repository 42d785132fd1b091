//! The time that was not recorded because a tab was hidden, where a browser gives a hidden tab no frames.

use mien_shared::{SkipReason, Skipped};

/// Less is a glance at something else.
const WORTH_SAYING_MS: u64 = 2_000;

/// How long nothing was analysed because the page was hidden, milliseconds, if that is worth mentioning.
pub fn hidden_ms(skipped: &[Skipped]) -> Option<u64> {
    let hidden = skipped.iter().find(|skipped| skipped.reason == SkipReason::Hidden)?;
    u64::try_from(hidden.ms).ok().filter(|ms| *ms >= WORTH_SAYING_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hidden_page_is_reported_and_no_glance_elsewhere() {
        let skipped = |reason, ms| Skipped { reason, ms };
        let both = [skipped(SkipReason::Paused, 9_000), skipped(SkipReason::Hidden, 12_000)];
        assert_eq!(hidden_ms(&both), Some(12_000));
        assert_eq!(hidden_ms(&both[..1]), None);
        assert_eq!(hidden_ms(&[skipped(SkipReason::Hidden, 1_999)]), None);
        assert_eq!(hidden_ms(&[]), None);
    }
}
