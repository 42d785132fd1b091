//! What a sample that is lost leaves to the next one, so that the time of a recording still adds up. Pure.
//!
//! A sample stands for the time since the one before it, less what it says was skipped. One for which there is no
//! room leaves both to its successor: what it had to tell, and its own time as [`SkipReason::Full`]. So at every
//! moment what is kept tells of all the time of what was given.

use mien_shared::limits::MAX_SAFE_INTEGER;
use mien_shared::{Sample, SkipReason, Skipped};

/// Where the time that a sample accounts for begins, by its own clock, if nothing came before it: such a sample tells
/// what was skipped, and stands for no time of its own.
pub(super) fn begin(sample: &Sample) -> i64 {
    signed(sample.at) - sum(&sample.skipped)
}

/// Where the time of the sample after this one begins.
pub(super) fn after(sample: &Sample) -> i64 {
    signed(sample.at)
}

/// `next` tells what `lost` would have told. `begin`: where the time of `lost` begins.
pub(super) fn pass_on(lost: &Sample, begin: i64, next: &mut Sample) {
    for skipped in &lost.skipped {
        add(&mut next.skipped, skipped.reason, skipped.ms);
    }
    // Below 0 only where a clock was slewed, or capture times crossed.
    let own = signed(lost.at) - begin - sum(&lost.skipped);
    add(&mut next.skipped, SkipReason::Full, own.max(0));
}

/// One entry a reason, and none of 0: the wall clock may have been set there and back.
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
