//! Turns at the store for those who read much: a few at a time, in the order in which they came.
//!
//! A turn is had for one piece, some thousands of rows. So a long recording delays a short one by a piece and not by
//! its length, whoever takes an answer slowly has none meanwhile, and whoever hangs up gives it back with the piece.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[derive(Clone, Debug)]
pub struct Turns(Arc<Semaphore>);

/// Had until dropped.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "what counts is when it is dropped")] OwnedSemaphorePermit);

impl Turns {
    /// For a store with so many connections.
    pub fn new(connections: u32) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        Self(Arc::new(Semaphore::new(at_a_time(processors, connections as usize))))
    }

    pub async fn next(&self) -> Turn {
        let turn = Arc::clone(&self.0).acquire_owned().await;
        Turn(turn.expect("nobody closes it"))
    }

    /// Those that nobody has.
    pub fn free(&self) -> usize {
        self.0.available_permits()
    }
}

/// One more than there are processors, as reading is some waiting, too. At most half of the connections: everything
/// else needs some, and SQLite has two readers a processor.
fn at_a_time(processors: usize, connections: usize) -> usize {
    (processors + 1).min(connections / 2).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_about_as_many_as_processors_and_connections_are_left_over() {
        for (processors, connections, turns) in
            [(1, 25, 2), (2, 25, 3), (4, 25, 5), (16, 25, 12), (16, 200, 17), (8, 2, 1), (8, 1, 1)]
        {
            assert_eq!(at_a_time(processors, connections), turns, "{processors} {connections}");
        }
    }
}
