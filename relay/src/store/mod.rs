//! The store: sessions, sources, samples and markers, durable and stored once.
//!
//! Owns every SQL statement of the relay. A sample's key is (session, source, seq); what a source has been
//! answered for is decided here (`decide`), inside the transaction that commits it. Callers see Mien's own
//! types and [`StoreError`], never a row. Each backend is a variant: its SQL differs, what it promises does not.

pub mod codec;
mod decide;
mod embedded;
mod error;
mod migrate;
mod model;
mod postgres;
mod sqlite;
mod value;

use std::time::Duration;

use futures_util::TryFutureExt as _;
use futures_util::future::BoxFuture;
use mien_shared::api::{Marker, PatchSession, Session, SourceGap, SourceName, StoredSample};
use mien_shared::series::SeriesBuilder;
use mien_shared::{Sample, SessionId};
use tokio::task::{JoinError, JoinSet};
use tracing::Instrument;
use uuid::Uuid;

use crate::auth::{Revocation, Revoked};
use crate::config::Quota;
use crate::metrics::Metrics;
use crate::turns::Turns;

pub use error::StoreError;
pub use model::{
    Batch, Fate, Found, GapQuery, Item, Outcome, Page, Reach, SampleCursor, SampleQuery, SessionCursor,
    SourceKey, SourceState, Stretch, Take,
};
pub use postgres::PostgresStore;
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

/// Whether a database URL names Postgres.
pub fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres:") || url.starts_with("postgresql:")
}

/// Samples read at a time by a series: few enough to keep memory flat, and many enough to hide the cost of a query.
pub const CHUNK_ROWS: u32 = 8_000;

/// Connections live for so long, so that a server behind a changed name is found, and what one has heaped up goes.
const LIFETIME: Duration = Duration::from_mins(5);
/// Patience with the store where a chunk is read, once it is its turn.
const CHUNK_PATIENCE: Duration = Duration::from_secs(5);

/// Where samples live. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Store {
    Sqlite(SqliteStore),
    Postgres(PostgresStore),
}

/// What a call of the store will give.
///
/// Boxed: what a database's client holds while it waits is tens of kilobytes, which every future around it would
/// hold, too; and each program that polled it would compile that client anew.
pub type Answer<'a, T> = BoxFuture<'a, Result<T>>;

/// Asks the backend. One that is elsewhere gets a time limit.
macro_rules! ask {
    ($backend:expr, $store:ident => $call:expr) => {
        match $backend {
            Store::Sqlite($store) => Box::pin($call),
            Store::Postgres($store) => Box::pin(postgres::patiently($call)),
        }
    };
}

impl Store {
    /// Whether [`Store::open`] would change a database that is there already. Changes nothing itself.
    pub fn awaits_migration(url: &str) -> Answer<'_, bool> {
        if is_postgres(url) {
            Box::pin(PostgresStore::awaits_migration(url))
        } else {
            Box::pin(SqliteStore::awaits_migration(url))
        }
    }

    /// Opens, creates or migrates the database that `url` names.
    pub fn open<'a>(url: &'a str, max_connections: u32, metrics: &Metrics) -> Answer<'a, Self> {
        let wait = metrics.pool_wait_seconds.clone();
        if is_postgres(url) {
            Box::pin(PostgresStore::open(url, max_connections, wait).map_ok(Self::Postgres))
        } else {
            Box::pin(SqliteStore::open(url, max_connections, wait).map_ok(Self::Sqlite))
        }
    }

    /// The same store, in which a user may keep so much.
    #[must_use]
    pub fn within(mut self, most: Quota) -> Self {
        match &mut self {
            Self::Sqlite(store) => store.quota = most,
            Self::Postgres(store) => store.quota = most,
        }
        self
    }

    /// Commits that may run side by side: [`Store::commit`] is called by so many at once at most.
    pub const fn lanes(&self) -> usize {
        match self {
            Self::Sqlite(_) => 1,
            Self::Postgres(_) => PostgresStore::lanes(),
        }
    }

    /// Copies a database to a new file while it is in use, and gives the bytes of the copy.
    pub fn backup<'a>(url: &'a str, to: &'a std::path::Path) -> Answer<'a, u64> {
        if is_postgres(url) {
            let why = "Postgres has its own tools for copies: pg_dump and pg_restore, or a base backup with its log";
            return Box::pin(std::future::ready(Err(StoreError::Unusable(why.into()))));
        }
        Box::pin(SqliteStore::backup(url, to))
    }

    /// Whether the store answers right now.
    pub fn ready(&self) -> Answer<'_, ()> {
        ask!(self, store => store.ready())
    }

    /// Whether it takes what ingest writes: a write to each table, which is undone.
    pub fn try_write(&self) -> Answer<'_, ()> {
        ask!(self, store => store.try_write())
    }

    /// How many sessions there are, for those who must tell one database from another.
    pub fn count_sessions(&self) -> Answer<'_, u64> {
        ask!(self, store => store.count_sessions())
    }

    /// [`StoreError::TooManySessions`] where the user has as many as they may have.
    pub fn create_session<'a>(
        &'a self,
        user: &'a str,
        title: &'a str,
        purpose: &'a str,
    ) -> Answer<'a, Session> {
        ask!(self, store => store.create_session(user, title, purpose))
    }

    pub fn session(&self, id: SessionId) -> Answer<'_, Option<Session>> {
        ask!(self, store => store.session(id))
    }

    /// Like [`Store::session`], but tells an erased session from one that never was.
    pub fn find_session(&self, id: SessionId) -> Answer<'_, Found> {
        ask!(self, store => store.find_session(id))
    }

    /// Sessions of `user`, newest first. `limit` is 1 or more.
    pub fn list_sessions<'a>(
        &'a self,
        user: &'a str,
        after: Option<SessionCursor>,
        limit: u32,
    ) -> Answer<'a, Page<Session, SessionCursor>> {
        ask!(self, store => store.list_sessions(user, after, limit))
    }

    /// Renames or completes; `None` where there is no such session. Completing twice changes nothing;
    /// completed → active is [`StoreError::Conflict`].
    ///
    /// Handlers call `AppState::update_session`, which also lets samples under way finish and tells sockets.
    pub fn update_session<'a>(
        &'a self,
        id: SessionId,
        patch: &'a PatchSession,
    ) -> Answer<'a, Option<Session>> {
        ask!(self, store => store.update_session(id, patch))
    }

    /// Makes the session and its markers vanish at once; false where there was none. Its samples can be read
    /// by nobody from then on, and are erased by [`Store::sweep`].
    ///
    /// Handlers call `AppState::erase_session`, which does both and tells sockets.
    pub fn delete_session(&self, id: SessionId) -> Answer<'_, bool> {
        ask!(self, store => store.delete_session(id))
    }

    /// Tokens of a session that are no longer to be believed from now on, and gives all there are of it; `None` where
    /// there is no such session.
    ///
    /// Handlers call `AppState::revoke`, which also tells sockets.
    pub fn revoke<'a>(&'a self, id: SessionId, revocation: &'a Revocation) -> Answer<'a, Option<Revoked>> {
        ask!(self, store => store.revoke(id, revocation))
    }

    /// What was revoked of a session.
    pub fn revoked(&self, id: SessionId) -> Answer<'_, Revoked> {
        ask!(self, store => store.revoked(id))
    }

    /// What was revoked within the last half minute, for those who may not have heard of it: none where the store is
    /// this process' own.
    pub fn recently_revoked(&self) -> Answer<'_, Vec<(SessionId, Revoked)>> {
        match self {
            Self::Sqlite(_) => Box::pin(async { Ok(Vec::new()) }),
            Self::Postgres(store) => Box::pin(postgres::patiently(store.recently_revoked())),
        }
    }

    /// Erases the samples of a session that is gone, or of all that are, a chunk at a time so that ingest goes on
    /// between chunks.
    pub fn sweep(&self, only: Option<SessionId>) -> Answer<'_, ()> {
        match self {
            Self::Sqlite(store) => Box::pin(store.sweep(only)),
            Self::Postgres(store) => Box::pin(store.sweep(only)),
        }
    }

    /// Returns once nothing of what was erased or overwritten before is in a file of the database's, and free room is
    /// the disk's again. Postgres sees to that itself, by its vacuum.
    pub fn scrub(&self) -> Answer<'_, ()> {
        match self {
            Self::Sqlite(store) => Box::pin(store.scrub()),
            Self::Postgres(_) => Box::pin(std::future::ready(Ok(()))),
        }
    }

    /// Does that whenever there is something to do, for ever.
    pub fn keep_clean(&self) -> BoxFuture<'_, ()> {
        match self {
            Self::Sqlite(store) => Box::pin(store.keep_clean()),
            Self::Postgres(_) => Box::pin(std::future::pending()),
        }
    }

    /// Sessions that were never completed, began before `before` and took no sample since, in the order of their ids,
    /// after this one, at most `limit`. Someone may be connected to them all the same.
    pub fn abandoned_sessions(
        &self,
        before: jiff::Timestamp,
        after: Option<SessionId>,
        limit: u32,
    ) -> Answer<'_, Vec<SessionId>> {
        ask!(self, store => store.abandoned_sessions(before, after, limit))
    }

    /// Completed sessions that ended before `before`, oldest first, at most `limit`.
    pub fn expired_sessions(&self, before: jiff::Timestamp, limit: u32) -> Answer<'_, Vec<SessionId>> {
        ask!(self, store => store.expired_sessions(before, limit))
    }

    /// One page of samples, ordered by source name, then seq. An unknown session has none.
    pub fn samples<'a>(
        &'a self,
        id: SessionId,
        query: &'a SampleQuery,
    ) -> Answer<'a, Page<StoredSample, SampleCursor>> {
        ask!(self, store => store.samples(id, query))
    }

    /// The same samples as [`Store::samples`] page by page, however many: for exports and summaries. Each chunk of
    /// `query.limit` samples waits for its turn.
    pub fn sample_chunks(&self, id: SessionId, query: SampleQuery, turns: &Turns) -> SampleChunks {
        let (store, turns) = (self.clone(), turns.clone());
        SampleChunks { store, turns, id, query: Some(query), ahead: JoinSet::new() }
    }

    /// One page of gaps, ordered by source name, then seq. An unknown session has none.
    pub fn gaps<'a>(
        &'a self,
        id: SessionId,
        query: &'a GapQuery,
    ) -> Answer<'a, Page<SourceGap, SampleCursor>> {
        ask!(self, store => store.gaps(id, query))
    }

    /// Where the samples of a query without a cursor lie, source by source. Its limit does not matter.
    pub fn stretches<'a>(&'a self, id: SessionId, query: &'a SampleQuery) -> Answer<'a, Vec<Stretch>> {
        ask!(self, store => store.stretches(id, query))
    }

    /// Adds the samples of a stretch, a few thousand at most, that lie in the query's time to a series, and says
    /// how many they were.
    pub fn add_to_series<'a>(
        &'a self,
        stretch: &'a Stretch,
        query: &'a SampleQuery,
        series: &'a mut SeriesBuilder,
    ) -> Answer<'a, u64> {
        ask!(self, store => store.add_to_series(stretch, query, series))
    }

    /// The lowest seq of a stretch that is stored.
    pub fn first_seq<'a>(&'a self, stretch: &'a Stretch) -> Answer<'a, Option<u64>> {
        ask!(self, store => store.first_seq(stretch))
    }

    /// Samples of one source after `after` and up to `through`, by seq, at most `limit`: what a watcher
    /// catches up from.
    pub fn samples_after<'a>(
        &'a self,
        id: SessionId,
        source: &'a SourceName,
        after: u64,
        through: u64,
        limit: u32,
    ) -> Answer<'a, Vec<Sample>> {
        ask!(self, store => store.samples_after(id, source, after, through, limit))
    }

    /// What each source of the session has been answered for, by name, with its first gaps.
    pub fn source_states(&self, id: SessionId) -> Answer<'_, Vec<SourceState>> {
        ask!(self, store => store.source_states(id))
    }

    /// `through` of each source, by name: [`Store::source_states`] without the gaps, for watchers.
    pub fn throughs(&self, id: SessionId) -> Answer<'_, Vec<(SourceName, u64)>> {
        ask!(self, store => store.throughs(id))
    }

    /// How far each source has come, by name, for a watcher that begins.
    pub fn reaches(&self, id: SessionId) -> Answer<'_, Vec<Reach>> {
        ask!(self, store => store.reaches(id))
    }

    /// Finds or creates a source of an active session, for a connection that begins to send.
    /// [`StoreError::TooManySources`] where it would be one more than a session may have.
    pub fn open_source<'a>(&'a self, id: SessionId, source: &'a SourceName) -> Answer<'a, (SourceKey, u64)> {
        ask!(self, store => store.open_source(id, source))
    }

    /// Commits batches in one transaction and says what became of each sample, batch by batch. It may take as
    /// long as its caller waits; dropped, it has been done or not.
    pub fn commit<'a>(&'a self, batches: &'a [Batch]) -> Answer<'a, Vec<Outcome>> {
        match self {
            Self::Sqlite(store) => Box::pin(store.commit(batches)),
            Self::Postgres(store) => Box::pin(store.commit(batches)),
        }
    }

    pub fn create_marker<'a>(
        &'a self,
        id: SessionId,
        at: u64,
        label: &'a str,
        source: Option<&'a SourceName>,
    ) -> Answer<'a, Marker> {
        ask!(self, store => store.create_marker(id, at, label, source))
    }

    /// All markers of a session by `at`, then by creation.
    pub fn markers(&self, id: SessionId) -> Answer<'_, Vec<Marker>> {
        ask!(self, store => store.markers(id))
    }

    /// False where the session has no such marker.
    pub fn delete_marker(&self, id: SessionId, marker: Uuid) -> Answer<'_, bool> {
        ask!(self, store => store.delete_marker(id, marker))
    }

    /// Connections of the database pool: in use and idle.
    pub fn pool_usage(&self) -> (u32, u32) {
        match self {
            Self::Sqlite(store) => store.pool_usage(),
            Self::Postgres(store) => store.pool_usage(),
        }
    }

    /// Finishes what runs and closes every connection.
    pub fn close(&self) -> BoxFuture<'_, ()> {
        match self {
            Self::Sqlite(store) => Box::pin(store.close()),
            Self::Postgres(store) => Box::pin(store.close()),
        }
    }
}

/// What a task gave that nobody cancels.
pub(crate) fn joined<T>(outcome: std::result::Result<T, JoinError>) -> Result<T> {
    outcome.map_err(|cause| match cause.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        // Only a runtime that ends does.
        Err(_) => StoreError::TimedOut,
    })
}

/// Samples of a session in chunks, in the order of [`Store::samples`]. While one is used, the next is read.
#[derive(Debug)]
pub struct SampleChunks {
    store: Store,
    turns: Turns,
    id: SessionId,
    /// `None` once the last chunk is being read.
    query: Option<SampleQuery>,
    /// At most one task: the next chunk. It ends with this.
    ahead: JoinSet<Result<Page<StoredSample, SampleCursor>>>,
}

impl SampleChunks {
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
            let (store, turns, id) = (self.store.clone(), self.turns.clone(), self.id);
            let read = async move {
                let _turn = turns.next().await;
                let page = tokio::time::timeout(CHUNK_PATIENCE, store.samples(id, &query)).await;
                page.unwrap_or(Err(StoreError::TimedOut))
            };
            self.ahead.spawn(read.in_current_span());
        }
    }
}
