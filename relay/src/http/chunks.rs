//! Reading many samples: chunk by chunk, the next while one is used.

use std::time::Duration;

use mien_shared::SessionId;
use mien_shared::api::StoredSample;
use tokio::task::{JoinError, JoinSet};
use tracing::Instrument;

use crate::limits::ReadPermits;
use crate::store::{Page, Result, SampleCursor, SampleQuery, Store, StoreError};

/// Patience with the store where a chunk is read, once it has a permit.
const CHUNK_PATIENCE: Duration = Duration::from_secs(5);

/// Samples of a session in chunks, in the order of [`Store::samples`], however many there are: for exports and
/// summaries.
#[derive(Debug)]
pub struct SampleChunks {
    store: Store,
    permits: ReadPermits,
    id: SessionId,
    /// `None` once the last chunk is being read.
    query: Option<SampleQuery>,
    /// At most one task: the next chunk. It ends with this.
    ahead: JoinSet<Result<Page<StoredSample, SampleCursor>>>,
}

/// The landmarks of so many faces take less memory than the 32 faces of a full sample do without.
const AS_MUCH_AGAIN: u64 = 16;

/// How many samples to read at a time where `rows` are right for samples without landmarks, and one sample has
/// landmarks of at most so many faces: so that a chunk takes no more memory with them than without.
pub fn rows_with_landmarks(rows: u32, landmarks: u64) -> u32 {
    let fewer = u64::from(rows) * AS_MUCH_AGAIN / (AS_MUCH_AGAIN + landmarks);
    u32::try_from(fewer).unwrap_or(rows).max(1)
}

impl SampleChunks {
    /// Each chunk of `query.limit` samples waits for a permit.
    pub fn new(store: &Store, permits: &ReadPermits, id: SessionId, query: SampleQuery) -> Self {
        let (store, permits) = (store.clone(), permits.clone());
        Self { store, permits, id, query: Some(query), ahead: JoinSet::new() }
    }

    /// The next chunk, never empty; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<StoredSample>>> {
        if self.ahead.is_empty() {
            self.read_ahead();
        }
        let Some(read) = self.ahead.join_next().await else { return Ok(None) };
        let page = joined(read)??;
        if let Some(next) = page.next {
            if let Some(query) = &mut self.query {
                query.after = Some(next);
            }
            self.read_ahead();
        } else {
            self.query = None;
        }
        Ok(if page.rows.is_empty() { None } else { Some(page.rows) })
    }

    fn read_ahead(&mut self) {
        if let Some(query) = self.query.clone() {
            let (store, permits, id) = (self.store.clone(), self.permits.clone(), self.id);
            let read = async move {
                let _permit = permits.acquire().await;
                let page = tokio::time::timeout(CHUNK_PATIENCE, store.samples(id, &query)).await;
                page.unwrap_or(Err(StoreError::TimedOut))
            };
            self.ahead.spawn(read.in_current_span());
        }
    }
}

/// What a task returned that is never cancelled.
pub(crate) fn joined<T>(outcome: std::result::Result<T, JoinError>) -> Result<T> {
    outcome.map_err(|cause| match cause.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        // Only a runtime that ends does.
        Err(_) => StoreError::TimedOut,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mien_shared::limits::MAX_FACES;
    use mien_shared::{Face, FaceLandmarks};

    #[test]
    fn a_chunk_takes_no_more_memory_with_landmarks_than_without() {
        let (plain, landmarks) = (size_of::<Face>(), size_of::<FaceLandmarks>());
        let full = |rows: u32, with: usize| rows as usize * (MAX_FACES * plain + with * landmarks);
        assert_eq!(rows_with_landmarks(500, 0), 500);
        assert!(rows_with_landmarks(500, 1) > 450, "one face is no reason to read in small chunks");
        for with in 0..=MAX_FACES {
            let rows = rows_with_landmarks(500, with as u64);
            assert!(full(rows, with) <= full(500, 0), "{with}");
        }
        assert_eq!(rows_with_landmarks(1, 32), 1);
    }
}
