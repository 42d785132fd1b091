//! The store: sessions, sources, samples and markers, durable and stored once.
//!
//! Owns every SQL statement of the relay. A sample's key is (session, source, seq); what a source has been
//! answered for is decided here, inside the transaction that commits it. Callers see Mien's own types and
//! [`StoreError`], never a row. Each backend is a variant: its SQL differs, what it promises does not.

pub mod codec;
mod error;
mod model;
mod sqlite;

use mien_shared::api::{Marker, PatchSession, Session, SourceName, StoredSample};
use mien_shared::{Sample, SessionId};
use uuid::Uuid;

use crate::metrics::Metrics;

pub use error::StoreError;
pub use model::{
    Batch, Fate, Found, Item, Outcome, Page, SampleCursor, SampleQuery, SessionCursor, SourceKey,
    SourceState, Take,
};
pub use sqlite::SqliteStore;

/// Result of a call to the store.
pub type Result<T> = std::result::Result<T, StoreError>;

/// The file of a database URL, relative to the working directory or absolute; `None` for one in memory.
pub fn file_of(url: &str) -> Option<std::path::PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    (!path.is_empty() && path != ":memory:").then(|| path.into())
}

/// Samples read at a time by [`SampleChunks`]: small enough to keep memory flat, large enough to hide the
/// cost of a query.
pub const CHUNK_ROWS: u32 = 2_000;

/// Where samples live. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Store {
    Sqlite(SqliteStore),
}

impl Store {
    /// Opens, creates or migrates the database that `url` names.
    pub async fn open(url: &str, max_connections: u32, metrics: &Metrics) -> Result<Self> {
        SqliteStore::open(url, max_connections, metrics.pool_wait_seconds.clone()).await.map(Self::Sqlite)
    }

    /// Whether the store answers right now.
    pub async fn ready(&self) -> Result<()> {
        match self {
            Self::Sqlite(store) => store.ready().await,
        }
    }

    pub async fn create_session(&self, user: &str, title: &str, purpose: &str) -> Result<Session> {
        match self {
            Self::Sqlite(store) => store.create_session(user, title, purpose).await,
        }
    }

    pub async fn session(&self, id: SessionId) -> Result<Option<Session>> {
        match self {
            Self::Sqlite(store) => store.session(id).await,
        }
    }

    /// Like [`Store::session`], but tells an erased session from one that never was.
    pub async fn find_session(&self, id: SessionId) -> Result<Found> {
        match self {
            Self::Sqlite(store) => store.find_session(id).await,
        }
    }

    /// Sessions of `user`, newest first. `limit` is 1 or more.
    pub async fn list_sessions(
        &self,
        user: &str,
        after: Option<SessionCursor>,
        limit: u32,
    ) -> Result<Page<Session, SessionCursor>> {
        match self {
            Self::Sqlite(store) => store.list_sessions(user, after, limit).await,
        }
    }

    /// Renames or completes; `None` where there is no such session. Completing twice changes nothing;
    /// completed → active is [`StoreError::Conflict`].
    ///
    /// Handlers call `AppState::update_session`, which also lets samples under way finish and tells sockets.
    pub async fn update_session(&self, id: SessionId, patch: &PatchSession) -> Result<Option<Session>> {
        match self {
            Self::Sqlite(store) => store.update_session(id, patch).await,
        }
    }

    /// Makes the session and its markers vanish at once; false where there was none. Its samples can be read
    /// by nobody from then on, and are erased by [`Store::sweep`].
    ///
    /// Handlers call `AppState::erase_session`, which does both and tells sockets.
    pub async fn delete_session(&self, id: SessionId) -> Result<bool> {
        match self {
            Self::Sqlite(store) => store.delete_session(id).await,
        }
    }

    /// Erases samples of sessions that are gone, a chunk at a time so that ingest goes on between chunks.
    pub async fn sweep(&self) -> Result<()> {
        match self {
            Self::Sqlite(store) => store.sweep().await,
        }
    }

    /// Completed sessions that ended before `before`, oldest first, at most `limit`.
    pub async fn expired_sessions(&self, before: jiff::Timestamp, limit: u32) -> Result<Vec<SessionId>> {
        match self {
            Self::Sqlite(store) => store.expired_sessions(before, limit).await,
        }
    }

    /// One page of samples, ordered by source name, then seq. An unknown session has none.
    pub async fn samples(
        &self,
        id: SessionId,
        query: &SampleQuery,
    ) -> Result<Page<StoredSample, SampleCursor>> {
        match self {
            Self::Sqlite(store) => store.samples(id, query).await,
        }
    }

    /// The same samples as [`Store::samples`] page by page, however many: for exports, series and summaries.
    /// `query.limit` is the size of a chunk.
    pub fn sample_chunks(&self, id: SessionId, mut query: SampleQuery) -> SampleChunks {
        query.limit = CHUNK_ROWS;
        SampleChunks { store: self.clone(), id, query: Some(query) }
    }

    /// Samples of one source after `after` and up to `through`, by seq, at most `limit`: what a watcher
    /// catches up from.
    pub async fn samples_after(
        &self,
        id: SessionId,
        source: &SourceName,
        after: u64,
        through: u64,
        limit: u32,
    ) -> Result<Vec<Sample>> {
        match self {
            Self::Sqlite(store) => store.samples_after(id, source, after, through, limit).await,
        }
    }

    /// What each source of the session has been answered for, by name, with its gaps.
    pub async fn source_states(&self, id: SessionId) -> Result<Vec<SourceState>> {
        match self {
            Self::Sqlite(store) => store.source_states(id).await,
        }
    }

    /// `through` of each source, by name: [`Store::source_states`] without the gaps, for watchers.
    pub async fn throughs(&self, id: SessionId) -> Result<Vec<(SourceName, u64)>> {
        match self {
            Self::Sqlite(store) => store.throughs(id).await,
        }
    }

    /// Finds or creates a source of an active session, for a connection that begins to send.
    pub async fn open_source(&self, id: SessionId, source: &SourceName) -> Result<(SourceKey, u64)> {
        match self {
            Self::Sqlite(store) => store.open_source(id, source).await,
        }
    }

    /// Commits batches in one transaction and says what became of each sample, batch by batch.
    pub async fn commit(&self, batches: &[Batch]) -> Result<Vec<Outcome>> {
        match self {
            Self::Sqlite(store) => store.commit(batches).await,
        }
    }

    pub async fn create_marker(
        &self,
        id: SessionId,
        at: u64,
        label: &str,
        source: Option<&SourceName>,
    ) -> Result<Marker> {
        match self {
            Self::Sqlite(store) => store.create_marker(id, at, label, source).await,
        }
    }

    /// All markers of a session by `at`, then by creation.
    pub async fn markers(&self, id: SessionId) -> Result<Vec<Marker>> {
        match self {
            Self::Sqlite(store) => store.markers(id).await,
        }
    }

    /// False where the session has no such marker.
    pub async fn delete_marker(&self, id: SessionId, marker: Uuid) -> Result<bool> {
        match self {
            Self::Sqlite(store) => store.delete_marker(id, marker).await,
        }
    }

    /// Connections of the database pool: in use and idle.
    pub fn pool_usage(&self) -> (u32, u32) {
        match self {
            Self::Sqlite(store) => store.pool_usage(),
        }
    }

    /// Finishes what runs and closes every connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
        }
    }
}

/// Samples of a session in chunks, in the order of [`Store::samples`].
#[derive(Debug)]
pub struct SampleChunks {
    store: Store,
    id: SessionId,
    /// `None` once the last chunk has been given out.
    query: Option<SampleQuery>,
}

impl SampleChunks {
    /// The next chunk, never empty; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<StoredSample>>> {
        let Some(query) = self.query.as_mut() else { return Ok(None) };
        let page = self.store.samples(self.id, query).await?;
        match page.next {
            Some(next) => query.after = Some(next),
            None => self.query = None,
        }
        Ok(if page.rows.is_empty() { None } else { Some(page.rows) })
    }
}
