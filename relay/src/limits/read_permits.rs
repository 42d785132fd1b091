//! Permits for long reads of the store: a few at a time, granted in order.
//!
//! A permit is for one chunk, some thousands of rows. So a long recording delays a short one by a chunk and not by its
//! length, a slow client holds none while it reads its answer, and a client that disconnects releases its own with the
//! chunk.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[derive(Clone, Debug)]
pub struct ReadPermits(Arc<Semaphore>);

/// Released when dropped.
#[derive(Debug)]
pub struct ReadPermit(
    #[expect(dead_code, reason = "what counts is when it is dropped")] OwnedSemaphorePermit,
);

impl ReadPermits {
    /// For a store with this many connections.
    pub fn new(connections: u32) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        Self(Arc::new(Semaphore::new(permits(processors, connections as usize))))
    }

    pub async fn acquire(&self) -> ReadPermit {
        let permit = Arc::clone(&self.0).acquire_owned().await;
        ReadPermit(permit.expect("the semaphore is never closed"))
    }

    pub fn available(&self) -> usize {
        self.0.available_permits()
    }
}

/// One more than there are processors, as reads also wait. At most half of the connections: everything else needs some,
/// and SQLite has two readers per processor.
fn permits(processors: usize, connections: usize) -> usize {
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
            assert_eq!(permits(processors, connections), turns, "{processors} {connections}");
        }
    }
}
