//! Sessions that a task must look at.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use mien_shared::SessionId;
use tokio::sync::Notify;

/// A set of sessions that changed: each once, however often it is marked. One task takes them.
#[derive(Debug, Default)]
pub(crate) struct DirtySessions {
    ids: Mutex<HashSet<SessionId>>,
    marked: Notify,
}

impl DirtySessions {
    pub(crate) fn mark(&self, id: SessionId) {
        self.lock(|ids| ids.insert(id));
        self.marked.notify_one();
    }

    /// All that are marked; waits for the first.
    pub(crate) async fn take(&self) -> HashSet<SessionId> {
        loop {
            let ids = self.try_take();
            if !ids.is_empty() {
                return ids;
            }
            self.marked.notified().await;
        }
    }

    pub(crate) fn try_take(&self) -> HashSet<SessionId> {
        self.lock(std::mem::take)
    }

    fn lock<T>(&self, act: impl FnOnce(&mut HashSet<SessionId>) -> T) -> T {
        act(&mut self.ids.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn marks_are_taken_once() {
        let (dirty, id) = (DirtySessions::default(), SessionId(Uuid::now_v7()));
        dirty.mark(id);
        dirty.mark(id);
        assert_eq!(dirty.take().await.len(), 1);
        assert!(dirty.try_take().is_empty());
    }
}
