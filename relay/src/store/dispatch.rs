//! [`Store`]: asks the backend that is in use.

use futures_util::future::BoxFuture;
use mien_shared::api::{Marker, PatchSession, Session, SourceGap, SourceName, StoredSample};
use mien_shared::series::SeriesBuilder;
use mien_shared::{Sample, SessionId};
use uuid::Uuid;

use super::error::Result;
use super::model::{
    Batch, Found, GapQuery, Outcome, Page, Reach, SampleCursor, SampleQuery, SessionCursor, SourceKey,
    SourceState, Stretch,
};
use super::postgres::{PostgresStore, with_timeout};
use super::queries::{gaps, markers, revocations, samples, sessions, sources};
use super::revoked::{Revocation, Revoked};
use super::sqlite::SqliteStore;
use crate::config::Quota;

/// Where samples live. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Store {
    Sqlite(SqliteStore),
    Postgres(PostgresStore),
}

/// The answer to a call of the store.
///
/// Boxed: what a database client holds while it waits is tens of kilobytes, which every enclosing future would hold,
/// too; and each program that polls it would compile that client again.
pub type Answer<'a, T> = BoxFuture<'a, Result<T>>;

/// Asks the backend. Postgres, which is another process, gets a time limit.
macro_rules! ask {
    ($backend:expr, $store:ident => $call:expr) => {
        match $backend {
            Store::Sqlite($store) => Box::pin($call),
            Store::Postgres($store) => Box::pin(with_timeout($call)),
        }
    };
}

/// Asks what both databases are asked in the same way, on one of the backend's connections.
macro_rules! read {
    ($backend:expr, $connection:ident => $call:expr) => {
        match $backend {
            Store::Sqlite(store) => Box::pin(async move {
                let mut reader = store.reader().await?;
                let $connection = &mut *reader;
                $call.await
            }),
            Store::Postgres(store) => Box::pin(with_timeout(async move {
                let mut reader = store.lease().await?;
                let $connection = &mut *reader;
                let answer = $call.await?;
                reader.give_back();
                Ok(answer)
            })),
        }
    };
}

impl Store {
    /// The same store with this quota for each user.
    #[must_use]
    pub fn with_quota(mut self, quota: Quota) -> Self {
        match &mut self {
            Self::Sqlite(store) => store.quota = quota,
            Self::Postgres(store) => store.quota = quota,
        }
        self
    }

    /// How many calls of [`Store::commit`] may run at the same time.
    pub const fn lanes(&self) -> usize {
        match self {
            Self::Sqlite(_) => 1,
            Self::Postgres(_) => PostgresStore::lanes(),
        }
    }

    /// Whether the store answers right now.
    pub fn ready(&self) -> Answer<'_, ()> {
        ask!(self, store => store.ready())
    }

    /// Whether it accepts what ingest writes: writes to each table and rolls back.
    pub fn try_write(&self) -> Answer<'_, ()> {
        ask!(self, store => store.try_write())
    }

    /// How many sessions there are, so that an operator can tell one database from another.
    pub fn count_sessions(&self) -> Answer<'_, u64> {
        read!(self, reader => sessions::count(reader))
    }

    /// [`StoreError::TooManySessions`] if the user has as many as they may have.
    pub fn create_session<'a>(
        &'a self,
        user: &'a str,
        title: &'a str,
        purpose: &'a str,
    ) -> Answer<'a, Session> {
        ask!(self, store => store.create_session(user, title, purpose))
    }

    pub fn session(&self, id: SessionId) -> Answer<'_, Option<Session>> {
        read!(self, reader => sessions::find(reader, id))
    }

    /// Like [`Store::session`], but distinguishes an erased session from one that never existed.
    pub fn find_session(&self, id: SessionId) -> Answer<'_, Found> {
        read!(self, reader => sessions::find_or_erased(reader, id))
    }

    /// Sessions of `user`, newest first. `limit` is 1 or more.
    pub fn list_sessions<'a>(
        &'a self,
        user: &'a str,
        after: Option<SessionCursor>,
        limit: u32,
    ) -> Answer<'a, Page<Session, SessionCursor>> {
        read!(self, reader => sessions::list(reader, user, after, limit))
    }

    /// Renames or completes; `None` if there is no such session. Completing twice changes nothing; completed → active
    /// is [`StoreError::Conflict`].
    ///
    /// Handlers call `AppState::update_session`, which also lets samples in flight finish and tells sockets.
    pub fn update_session<'a>(
        &'a self,
        id: SessionId,
        patch: &'a PatchSession,
    ) -> Answer<'a, Option<Session>> {
        ask!(self, store => store.update_session(id, patch))
    }

    /// Removes the session and its markers at once; false if there was none. Its samples can no longer be read, and are
    /// erased by [`Store::sweep`].
    ///
    /// Handlers call `AppState::erase_session`, which does both and tells sockets.
    pub fn delete_session(&self, id: SessionId) -> Answer<'_, bool> {
        ask!(self, store => store.delete_session(id))
    }

    /// Revokes tokens of a session, and returns everything that is revoked for it; `None` if there is no such session.
    ///
    /// Handlers call `AppState::revoke`, which also tells sockets.
    pub fn revoke<'a>(&'a self, id: SessionId, revocation: &'a Revocation) -> Answer<'a, Option<Revoked>> {
        ask!(self, store => store.revoke(id, revocation))
    }

    /// What was revoked for a session.
    pub fn revoked(&self, id: SessionId) -> Answer<'_, Revoked> {
        read!(self, reader => revocations::read(reader, id))
    }

    /// What was revoked within the last half minute, in case another relay did it: nothing over SQLite, which serves one
    /// relay.
    pub fn recently_revoked(&self) -> Answer<'_, Vec<(SessionId, Revoked)>> {
        match self {
            Self::Sqlite(_) => Box::pin(async { Ok(Vec::new()) }),
            Self::Postgres(store) => Box::pin(with_timeout(store.recently_revoked())),
        }
    }

    /// Erases the samples of a session that is gone, or of all such sessions, a chunk at a time so that ingest
    /// continues between chunks.
    pub fn sweep(&self, only: Option<SessionId>) -> Answer<'_, ()> {
        match self {
            Self::Sqlite(store) => Box::pin(store.sweep(only)),
            Self::Postgres(store) => Box::pin(store.sweep(only)),
        }
    }

    /// Returns once nothing that was erased or overwritten before is left in any of the database's files, and free
    /// pages are returned to the disk. Postgres does this with its vacuum.
    pub fn scrub(&self) -> Answer<'_, ()> {
        match self {
            Self::Sqlite(store) => Box::pin(store.scrub()),
            Self::Postgres(_) => Box::pin(std::future::ready(Ok(()))),
        }
    }

    /// Scrubs whenever there is something to scrub. Never returns.
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
        read!(self, reader => sessions::abandoned(reader, before, after, limit))
    }

    /// Completed sessions that ended before `before`, oldest first, at most `limit`.
    pub fn expired_sessions(&self, before: jiff::Timestamp, limit: u32) -> Answer<'_, Vec<SessionId>> {
        read!(self, reader => sessions::expired(reader, before, limit))
    }

    /// One page of samples, ordered by source name, then seq. An unknown session has none.
    pub fn samples<'a>(
        &'a self,
        id: SessionId,
        query: &'a SampleQuery,
    ) -> Answer<'a, Page<StoredSample, SampleCursor>> {
        read!(self, reader => samples::page(reader, id, query))
    }

    /// One page of gaps, ordered by source name, then seq. An unknown session has none.
    pub fn gaps<'a>(
        &'a self,
        id: SessionId,
        query: &'a GapQuery,
    ) -> Answer<'a, Page<SourceGap, SampleCursor>> {
        read!(self, reader => gaps::page(reader, id, query))
    }

    /// Where the samples of a query without a cursor lie, source by source. Its limit does not matter.
    pub fn stretches<'a>(&'a self, id: SessionId, query: &'a SampleQuery) -> Answer<'a, Vec<Stretch>> {
        read!(self, reader => samples::stretches(reader, id, query))
    }

    /// Adds those samples of a stretch (a few thousand at most) that lie in the query's time to a series, and returns
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
        read!(self, reader => samples::first_seq(reader, stretch))
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
        read!(self, reader => sources::throughs(reader, id))
    }

    /// The most faces of one sample of the session that have landmarks.
    pub fn most_landmarks(&self, id: SessionId) -> Answer<'_, u64> {
        read!(self, reader => sources::most_landmarks(reader, id))
    }

    /// How far each source has come, by name, for a watcher that begins.
    pub fn reaches(&self, id: SessionId) -> Answer<'_, Vec<Reach>> {
        read!(self, reader => sources::reaches(reader, id))
    }

    /// Finds or creates a source of an active session, for a connection that starts to send.
    /// [`StoreError::TooManySources`] if the session already has the maximum.
    pub fn open_source<'a>(&'a self, id: SessionId, source: &'a SourceName) -> Answer<'a, (SourceKey, u64)> {
        ask!(self, store => store.open_source(id, source))
    }

    /// Commits batches in one transaction and returns what happened to each sample, batch by batch. It has no time
    /// limit of its own. If the future is dropped, the commit may or may not have happened.
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
        read!(self, reader => markers::list(reader, id))
    }

    /// False if the session has no such marker.
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

    /// Finishes what is running and closes every connection.
    pub fn close(&self) -> BoxFuture<'_, ()> {
        match self {
            Self::Sqlite(store) => Box::pin(store.close()),
            Self::Postgres(store) => Box::pin(store.close()),
        }
    }
}
