//! Whether the store accepts writes, for health checks that come every second or two, or a thousand at once.
//!
//! Reading proves little: another user's file, or a read-only database, reads well. So the store is also asked to do
//! what ingest does, and to undo it, at a limited rate.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::store::deadline::within_deadline;
use crate::store::{Store, StoreError};

/// For how long a success counts.
const SUCCESS_LIFE: Duration = Duration::from_secs(5);
/// For how long a failure counts: an operator who repairs the store waits to see it.
const FAILURE_LIFE: Duration = Duration::from_secs(1);

/// What the last attempt gave.
#[derive(Debug, Default)]
pub struct WriteCheck(Mutex<Option<Attempt>>);

#[derive(Debug)]
struct Attempt {
    at: Instant,
    outcome: Result<(), Arc<StoreError>>,
}

impl WriteCheck {
    /// Whether the store takes writes, as of a few seconds ago. Concurrent callers wait for the same answer.
    pub async fn ask(&self, store: &Store) -> Result<(), Arc<StoreError>> {
        let mut last = self.0.lock().await;
        if let Some(Attempt { at, outcome }) = &*last
            && at.elapsed() < if outcome.is_ok() { SUCCESS_LIFE } else { FAILURE_LIFE }
        {
            return outcome.clone();
        }
        let outcome = within_deadline(store.try_write()).await.map_err(Arc::new);
        *last = Some(Attempt { at: Instant::now(), outcome: outcome.clone() });
        outcome
    }
}
