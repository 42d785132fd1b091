//! Changes of sessions that could not be published at once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::sessions::ChangeNotice;

/// Changes that are kept while Redis is away; more than people make during an outage.
const MAX_PENDING: usize = 10_000;
/// Pause before a kept change is tried again.
const RETRY: Duration = Duration::from_millis(250);

/// Changes that are yet to be published. They are few, and are kept until they have left.
#[derive(Debug, Default)]
pub(super) struct PendingChanges {
    notices: Mutex<Vec<ChangeNotice>>,
    first: Notify,
}

impl PendingChanges {
    /// False where there is no room.
    pub(super) fn push(&self, notice: ChangeNotice) -> bool {
        let mut notices = self.lock();
        if notices.len() >= MAX_PENDING {
            return false;
        }
        notices.push(notice);
        self.first.notify_one();
        true
    }

    /// All of them, oldest first.
    pub(super) fn take(&self) -> Vec<ChangeNotice> {
        std::mem::take(&mut *self.lock())
    }

    /// They could not be published; others may have come in the meantime.
    pub(super) fn put_back(&self, mut older: Vec<ChangeNotice>) {
        let mut notices = self.lock();
        older.append(&mut notices);
        *notices = older;
    }

    /// Returns when there is something to publish: at once for the first, after a pause for what was tried before.
    pub(super) async fn due(&self) {
        if self.lock().is_empty() {
            self.first.notified().await;
        } else {
            tokio::time::sleep(RETRY).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<ChangeNotice>> {
        // Each change to the list is one call, so it is whole whatever panicked.
        self.notices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
