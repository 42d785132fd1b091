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
