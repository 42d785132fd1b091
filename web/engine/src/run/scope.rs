//! How hard to look at the next frame: near faces each time, small ones as often as it pays.

use mien_messages::Scope;

/// A full look at least this often, in frames: a person who walks in at the back is seen within half a second
/// at 20 frames a second.
const FULL_EVERY: u32 = 10;
/// Full looks in a row while small faces are in view, before a near look is tried again.
const FULL_RUN: u32 = 30;

#[derive(Debug, Default)]
pub(crate) struct ScopePolicy {
    /// Near looks since the last full one.
    near_run: u32,
    /// Full looks still to come because small faces are in view.
    full_left: u32,
    /// Faces of the last full look.
    full_faces: usize,
    looked: bool,
}

impl ScopePolicy {
    /// The scope of the frame that goes out now.
    pub(crate) fn next(&mut self) -> Scope {
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

    /// What a look found. A near look that misses faces of the last full one asks for full looks. (One
    /// that sees nobody has looked for small faces too: the analyser does so by itself.)
    pub(crate) fn found(&mut self, scope: Scope, faces: usize) {
        match scope {
            Scope::Full => self.full_faces = faces,
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
