//! Whether the relay can take work, for those who ask every second or two, or a thousand times.
//!
//! Reading proves little: a file of another user's, or a database that is read-only, reads well. So the store is also
//! asked to do what ingest does, and to undo it, at most once in a while.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::app::patiently;
use crate::http::problem::ApiError;
use crate::store::Store;

/// For how long it holds that writing works.
const WORKS: Duration = Duration::from_secs(5);
/// And that it does not: whoever mends it wants to see so.
const FAILS: Duration = Duration::from_secs(1);

/// What the last try gave.
#[derive(Debug, Default)]
pub struct Writable(Mutex<Option<Tried>>);

#[derive(Debug)]
struct Tried {
    at: Instant,
    outcome: Result<(), ApiError>,
}

impl Writable {
    /// Whether the store takes writes, as of a few seconds ago. Those who ask meanwhile wait for the same answer.
    pub async fn ask(&self, store: &Store) -> Result<(), ApiError> {
        let mut last = self.0.lock().await;
        if let Some(Tried { at, outcome }) = &*last
            && at.elapsed() < if outcome.is_ok() { WORKS } else { FAILS }
        {
            return outcome.clone();
        }
        let outcome = patiently(store.try_write()).await;
        *last = Some(Tried { at: Instant::now(), outcome: outcome.clone() });
        outcome
    }
}
