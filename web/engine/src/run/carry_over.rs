//! What one run leaves to the next.

use std::cell::{Cell, RefCell};

use mien_shared::Skipped;

use crate::clock::{Captured, ClockSteps};

#[derive(Debug)]
pub(super) struct CarryOver {
    /// Identities are not reused, so that no face of a session is taken for another.
    next_face: Cell<u32>,
    /// A wall clock that is set between two runs counts as well.
    clock_steps: RefCell<ClockSteps>,
}

impl Default for CarryOver {
    fn default() -> Self {
        Self { next_face: Cell::new(1), clock_steps: RefCell::default() }
    }
}

impl CarryOver {
    pub(super) fn next_face(&self) -> u32 {
        self.next_face.get()
    }

    pub(super) fn set_next_face(&self, next: u32) {
        self.next_face.set(next);
    }

    /// How far the wall clock was set since the previous frame that was handed out.
    pub(super) fn clock_step(&self, captured: Captured) -> Option<Skipped> {
        self.clock_steps.borrow_mut().next(captured)
    }
}
