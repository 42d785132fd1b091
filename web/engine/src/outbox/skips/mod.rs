//! What a lost sample passes on to the next one, so that the time of a recording still adds up. Pure.
//!
//! A sample stands for the time since the one before it, less what it reports as skipped. One for which there is no room
//! passes both on to its successor: what it had to report, and its own time as [`SkipReason::Full`]. So what is kept
//! accounts at every moment for all the time that was recorded.

use mien_shared::limits::MAX_SAFE_INTEGER;
use mien_shared::{Sample, SkipReason, Skipped};

/// Where the time that a sample accounts for begins, by its own clock, if nothing came before it: such a sample reports
/// what was skipped and stands for no time of its own.
pub(super) fn begin(sample: &Sample) -> i64 {
    signed(sample.at) - sum(&sample.skipped)
}

/// Where the time of the sample after this one begins.
pub(super) fn after(sample: &Sample) -> i64 {
    signed(sample.at)
}

/// `next` reports what `lost` would have reported. `begin`: where the time of `lost` begins.
pub(super) fn pass_on(lost: &Sample, begin: i64, next: &mut Sample) {
    for skipped in &lost.skipped {
        add(&mut next.skipped, skipped.reason, skipped.ms);
    }
    // Below 0 only if a clock was slewed, or capture times crossed.
    let own = signed(lost.at) - begin - sum(&lost.skipped);
    add(&mut next.skipped, SkipReason::Full, own.max(0));
}

/// One entry per reason, and none of 0: the wall clock may have been set there and back.
fn add(list: &mut Vec<Skipped>, reason: SkipReason, ms: i64) {
    const MOST: i64 = MAX_SAFE_INTEGER as i64;
    let known = list.iter().position(|skipped| skipped.reason == reason);
    let before = known.map_or(0, |place| list.remove(place).ms);
    let ms = before.saturating_add(ms).clamp(-MOST, MOST);
    if ms != 0 {
        list.insert(known.unwrap_or(list.len()), Skipped { reason, ms });
    }
}

fn sum(list: &[Skipped]) -> i64 {
    list.iter().map(|skipped| skipped.ms).sum()
}

fn signed(at: u64) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
