//! Whether something that was erased or overwritten may still be in the files.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// How many times there was something to scrub, and how many of those are done.
#[derive(Debug, Default)]
pub(super) struct Unclean {
    marks: AtomicU64,
    done: AtomicU64,
    marked: Notify,
}

impl Unclean {
    /// Something was erased or overwritten.
    pub(super) fn mark(&self) {
        self.marks.fetch_add(1, Ordering::AcqRel);
        self.marked.notify_one();
    }

    pub(super) fn is_clean(&self) -> bool {
        self.done.load(Ordering::Acquire) == self.marks()
    }

    /// Call this before scrubbing, for [`Unclean::cleaned`].
    pub(super) fn marks(&self) -> u64 {
        self.marks.load(Ordering::Acquire)
    }

    /// Everything that was marked by then is scrubbed.
    pub(super) fn cleaned(&self, marks: u64) {
        self.done.fetch_max(marks, Ordering::AcqRel);
    }

    /// Returns once something was marked.
    pub(super) async fn marked(&self) {
        self.marked.notified().await;
    }
}
