//! How hard to search the next frame: for near faces each time, for small ones as often as it pays.

use mien_models::Scope;

/// A full search after at most this many frames: someone who walks in at the back is seen within half a second at 20
/// frames per second.
const FULL_EVERY: u32 = 10;
/// Consecutive full searches while small faces are in view, before a near one is tried again.
const FULL_RUN: u32 = 30;

#[derive(Debug, Default)]
pub(super) struct ScopePolicy {
    /// Near searches since the last full one.
    near_run: u32,
    /// Full searches still due because small faces are in view.
    full_left: u32,
    /// Faces found by the last full search.
    full_faces: usize,
    looked: bool,
}

impl ScopePolicy {
    /// The scope for the frame that is sent now.
    pub(super) fn next(&mut self) -> Scope {
        if !self.looked || self.full_left > 0 || self.near_run >= FULL_EVERY {
            self.looked = true;
            self.near_run = 0;
            self.full_left = self.full_left.saturating_sub(1);
            Scope::Full
        } else {
            self.near_run += 1;
            Scope::Near
        }
    }

    /// What a search found. A near one that misses faces of the last full one asks for full ones. (One that finds nobody
    /// has searched for small faces too: the analyser falls back to that.)
    pub(super) fn found(&mut self, scope: Scope, faces: usize) {
        match scope {
            Scope::Full | Scope::Thorough | Scope::Cropped => self.full_faces = faces,
            Scope::Near if faces < self.full_faces => self.full_left = FULL_RUN,
            Scope::Near => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(policy: &mut ScopePolicy, frames: usize, near: usize, full: usize) -> Vec<Scope> {
        (0..frames)
            .map(|_| {
                let scope = policy.next();
                policy.found(scope, if scope == Scope::Near { near } else { full });
                scope
            })
            .collect()
    }

    #[test]
    fn near_faces_need_one_full_look_in_eleven() {
        let seen = looks(&mut ScopePolicy::default(), 22, 1, 1);
        assert_eq!(seen[0], Scope::Full);
        assert_eq!(seen.iter().filter(|scope| **scope == Scope::Full).count(), 2);
    }

    #[test]
    fn small_faces_are_looked_at_in_full_nearly_always() {
        let seen = looks(&mut ScopePolicy::default(), 64, 1, 3);
        assert!(seen.iter().filter(|scope| **scope == Scope::Near).count() <= 3);
    }
}
