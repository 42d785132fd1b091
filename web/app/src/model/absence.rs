//! The time that a tab was out of sight: browsers give it no frames then.

/// Less is as short as what a busy device skips.
const WORTH_SAYING_MS: u64 = 2_000;

/// Since when nothing was recorded, for a tab that was hidden and is shown again; `None` where samples went on
/// coming. All in Unix milliseconds; `newest_ms` is the newest sample's.
pub fn unrecorded_since(hidden_ms: u64, newest_ms: Option<u64>, shown_ms: u64) -> Option<u64> {
    let since = hidden_ms.max(newest_ms.unwrap_or(0));
    (shown_ms.saturating_sub(since) >= WORTH_SAYING_MS).then_some(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_time_without_samples_is_told() {
        assert_eq!(unrecorded_since(10_000, None, 70_000), Some(10_000));
        assert_eq!(unrecorded_since(10_000, Some(9_900), 70_000), Some(10_000));
        assert_eq!(unrecorded_since(10_000, Some(12_000), 70_000), Some(12_000), "some still came");
        assert_eq!(unrecorded_since(10_000, Some(69_900), 70_000), None, "they went on coming");
        assert_eq!(unrecorded_since(10_000, Some(9_900), 11_500), None, "a glance elsewhere");
    }
}
