//! The time that a tab was out of sight: browsers give it no frames then.

use std::time::Duration;

/// Less is as short as what a busy device skips.
const WORTH_SAYING: Duration = Duration::from_secs(2);

/// For how long nothing was recorded, for a tab that was hidden and is shown again; `None` where samples went on
/// coming. All by the clock that nobody sets; `newest` is when the newest sample was captured.
pub fn unrecorded(hidden: Duration, newest: Option<Duration>, shown: Duration) -> Option<Duration> {
    let gone = shown.saturating_sub(hidden.max(newest.unwrap_or_default()));
    (gone >= WORTH_SAYING).then_some(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_time_without_samples_is_told() {
        let gone = |hidden, newest: Option<u64>, shown| {
            let [hidden, shown] = [hidden, shown].map(Duration::from_millis);
            unrecorded(hidden, newest.map(Duration::from_millis), shown).map(|gone| gone.as_millis())
        };
        assert_eq!(gone(10_000, None, 70_000), Some(60_000));
        assert_eq!(gone(10_000, Some(9_900), 70_000), Some(60_000));
        assert_eq!(gone(10_000, Some(12_000), 70_000), Some(58_000), "some still came");
        assert_eq!(gone(10_000, Some(69_900), 70_000), None, "they went on coming");
        assert_eq!(gone(10_000, Some(9_900), 11_500), None, "a glance elsewhere");
    }
}
