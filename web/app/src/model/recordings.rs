//! The recordings that a device has saved, and whether one is active elsewhere.

/// A recorder writes several times a second; one that has not written for this long is gone, or paused.
pub const ACTIVE_MS: u64 = 10_000;

/// Whether a recorder, perhaps another tab's, seems to be writing. Both times are the wall clock's, as tabs share no
/// other. A recorder that is still active writes again a moment after the clock was set, so a time that is far off
/// either way is an old one: after a clock was set back, nobody has to wait until it has caught up.
pub fn is_active(touched_ms: u64, now_ms: u64) -> bool {
    now_ms.abs_diff(touched_ms) < ACTIVE_MS
}

/// Two lists as one. If both have an entry, that of `newer` wins.
pub fn merged<T, K: PartialEq>(older: Vec<T>, newer: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut list = older;
    list.retain(|entry| newer.iter().all(|other| key(other) != key(entry)));
    list.extend(newer);
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_list_hides_no_newer_entry() {
        let list = merged(vec![(1, "old"), (2, "old")], vec![(2, "new"), (3, "new")], |entry| entry.0);
        assert_eq!(list, [(1, "old"), (2, "new"), (3, "new")]);
        assert_eq!(merged(Vec::new(), vec![7], |entry| *entry), [7]);
        assert_eq!(merged(vec![7], Vec::new(), |entry| *entry), [7]);
    }

    #[test]
    fn a_recording_in_another_tab_is_is_active() {
        assert!(is_active(100_000, 100_400));
        assert!(is_active(100_000, 99_000), "a clock that was set back a little");
        assert!(!is_active(100_000, 100_000 + ACTIVE_MS));
        assert!(!is_active(1_000_000, 1_000_000 - 120_000), "written before the clock was set back");
    }
}
