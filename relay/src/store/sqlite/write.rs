//! The one writer, and how its transactions end.
//!
//! Its connection is kept after a commit, after a refusal, and when the caller goes away, as the next commit would wait
//! while another is opened. Only a failure closes it, since the state of the connection is then unknown.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::{ConnectOptions, SqliteConnection};
use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;

use super::connections::SqliteStore;
use super::files::Files;
use crate::store::error::Result;

impl SqliteStore {
    /// Begins a write transaction once earlier callers are done. It is ended with [`WriteTransaction::finish`].
    pub(super) async fn write(&self) -> Result<WriteTransaction> {
        let mut write = WriteTransaction(Some(self.take_writer().await?));
        // IMMEDIATE: what is read in the transaction must still hold when it writes.
        if let Err(cause) = sqlx::query("BEGIN IMMEDIATE").execute(&mut *write).await {
            write.close();
            return Err(cause.into());
        }
        Ok(write)
    }

    /// The writer, once earlier callers are done with it.
    pub(super) async fn take_writer(&self) -> Result<WriterGuard> {
        let mut slot = Arc::clone(&self.writer).lock_owned().await;
        self.files.in_place()?;
        let files = self.files.clone();
        if let Some(connection) = slot.take() {
            return Ok(WriterGuard { connection: Some(connection), slot, files });
        }
        let mut connection = self.options.connect().await?;
        open_wal(&mut connection).await?;
        self.files.writer_opened();
        let guard = WriterGuard { connection: Some(connection), slot, files };
        // The file that was opened may have been another one.
        self.files.in_place()?;
        Ok(guard)
    }
}

/// Reads anything, which makes SQLite open the log.
pub(super) async fn open_wal(connection: &mut SqliteConnection) -> Result<()> {
    sqlx::query("SELECT count(*) FROM sqlite_master").execute(connection).await?;
    Ok(())
}

/// A write transaction. It is rolled back if dropped unfinished, as when the caller goes away.
pub(super) struct WriteTransaction(
    /// Present until the end.
    Option<WriterGuard>,
);

/// The writer, on loan. It is closed if dropped before [`WriterGuard::put_back`].
pub(super) struct WriterGuard {
    /// Present until it is kept.
    connection: Option<SqliteConnection>,
    slot: OwnedMutexGuard<Option<SqliteConnection>>,
    files: Files,
}

impl WriterGuard {
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        self.connection.as_mut().expect("there until it is kept")
    }

    pub(super) fn put_back(mut self) {
        *self.slot = self.connection.take();
    }
}

impl Drop for WriterGuard {
    fn drop(&mut self) {
        if self.connection.is_some() {
            self.files.writer_closed();
        }
    }
}

impl WriteTransaction {
    /// Commits, or rolls back after a refusal. A failure closes the connection, which also rolls back.
    pub(super) async fn finish<T>(self, outcome: Result<T>) -> Result<T> {
        let end = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
        self.end(end, outcome).await
    }

    /// Undoes what was done.
    pub(super) async fn undo<T>(self, outcome: Result<T>) -> Result<T> {
        self.end("ROLLBACK", outcome).await
    }

    async fn end<T>(mut self, end: &'static str, outcome: Result<T>) -> Result<T> {
        if outcome.as_ref().is_err_and(|cause| !cause.is_refusal()) {
            self.close();
            return outcome;
        }
        if let Err(cause) = sqlx::query(end).execute(&mut *self).await {
            self.close();
            return Err(cause.into());
        }
        if let Some(guard) = self.0.take() {
            let in_place = guard.files.in_place();
            guard.put_back();
            // A commit to a file that the next start would not find is not reported as done.
            in_place?;
        }
        outcome
    }

    fn close(&mut self) {
        drop(self.0.take());
    }
}

impl Drop for WriteTransaction {
    fn drop(&mut self) {
        let Some(mut guard) = self.0.take() else { return };
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                // A statement that is still running finishes first. It may have ended the transaction, and then the
                // rollback fails; so the test is whether another transaction can begin.
                let _ = sqlx::query("ROLLBACK").execute(guard.connection()).await;
                let begun = sqlx::query("BEGIN").execute(guard.connection()).await;
                if begun.is_ok() && sqlx::query("ROLLBACK").execute(guard.connection()).await.is_ok() {
                    guard.put_back();
                }
            });
        }
    }
}

impl Deref for WriteTransaction {
    type Target = SqliteConnection;
    fn deref(&self) -> &SqliteConnection {
        let guard = self.0.as_ref().expect("there until the end");
        guard.connection.as_ref().expect("there until it is kept")
    }
}

impl DerefMut for WriteTransaction {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.0.as_mut().expect("there until the end").connection()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use mien_shared::api::{PatchSession, SourceName};
    use mien_shared::limits::{MAX_MARKERS, MAX_SOURCES};
    use mien_shared::{SessionId, SessionStatus};
    use prometheus_client::metrics::histogram::Histogram;
    use uuid::Uuid;

    use super::*;
    use crate::store::error::StoreError;
    use crate::store::queries::sessions;

    async fn open(folder: &tempfile::TempDir) -> SqliteStore {
        let url = format!("sqlite:{}", folder.path().join("mien.db").display());
        let store = SqliteStore::open(&url, 5, Histogram::new([])).await.unwrap();
        // Only this connection has it.
        let mut writer = store.writer.lock().await;
        let mark = "CREATE TEMP TABLE mark (x)";
        sqlx::query(mark).execute(writer.as_mut().unwrap()).await.unwrap();
        drop(writer);
        store
    }

    /// Whether the writer is the one that [`open`] marked, and in no transaction.
    async fn is_the_same(store: &SqliteStore) -> bool {
        let mut writer = store.writer.lock().await;
        let Some(connection) = writer.as_mut() else { return false };
        let marked = sqlx::query("SELECT * FROM temp.mark").fetch_optional(&mut *connection).await.is_ok();
        let begins = sqlx::query("BEGIN").execute(&mut *connection).await.is_ok();
        sqlx::query("ROLLBACK").execute(connection).await.unwrap();
        marked && begins
    }

    #[tokio::test]
    async fn a_refusal_keeps_the_connection() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        let nobody = SessionId(Uuid::now_v7());
        let full = store.create_session("alice", "", "").await.unwrap().id;
        let done = store.create_session("alice", "", "").await.unwrap().id;
        let gone = store.create_session("alice", "", "").await.unwrap().id;
        let patch = |status| PatchSession { title: Some("new".into()), status };
        store.update_session(done, &patch(Some(SessionStatus::Completed))).await.unwrap();
        assert!(store.delete_session(gone).await.unwrap());
        let main = SourceName::default();
        for number in 0..MAX_SOURCES {
            store.open_source(full, &format!("s{number}").parse().unwrap()).await.unwrap();
        }
        for at in 0..MAX_MARKERS as u64 {
            store.create_marker(full, at, "x", None).await.unwrap();
        }
        assert!(is_the_same(&store).await);

        assert!(matches!(store.open_source(nobody, &main).await, Err(StoreError::Ended)));
        assert!(is_the_same(&store).await, "a source of a session that is not there");
        assert!(matches!(store.open_source(done, &main).await, Err(StoreError::Ended)));
        assert!(is_the_same(&store).await, "a source of a completed session");
        assert!(matches!(store.open_source(full, &main).await, Err(StoreError::TooManySources(_))));
        assert!(is_the_same(&store).await, "a source too many");
        assert!(matches!(store.create_marker(nobody, 1, "x", None).await, Err(StoreError::Ended)));
        assert!(is_the_same(&store).await, "a marker of a session that is not there");
        assert!(matches!(store.create_marker(full, 1, "x", None).await, Err(StoreError::TooManyMarkers(_))));
        assert!(is_the_same(&store).await, "a marker too many");
        assert!(!store.delete_marker(full, Uuid::now_v7()).await.unwrap());
        assert!(is_the_same(&store).await, "a marker that is not there");
        let mut narrow = store.clone();
        narrow.quota.sessions = 2;
        let more = narrow.create_session("alice", "", "").await;
        assert!(matches!(more, Err(StoreError::TooManySessions(2))));
        assert!(is_the_same(&store).await, "a session too many");
        assert_eq!(store.update_session(nobody, &patch(None)).await.unwrap(), None);
        assert!(is_the_same(&store).await, "a name for a session that is not there");
        let again = store.update_session(done, &patch(Some(SessionStatus::Active))).await;
        assert!(matches!(again, Err(StoreError::Conflict)));
        assert!(is_the_same(&store).await, "a session that began anew");
        assert!(!store.delete_session(gone).await.unwrap());
        assert!(is_the_same(&store).await, "erased again");
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_leaves_the_connection_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        let insert = "INSERT INTO sessions (id, user_id, title, purpose, status, started_at) \
                      VALUES (x'00', 'alice', '', '', 'active', 1)";
        let mut write = store.write().await.unwrap();
        sqlx::query(insert).execute(&mut *write).await.unwrap();
        drop(write);
        assert!(is_the_same(&store).await, "gone after it has written");
        let mut reader = store.reader().await.unwrap();
        assert!(sessions::list(&mut *reader, "alice", None, 10).await.unwrap().rows.is_empty());
        // Wherever it was: beginning, writing or committing.
        for steps in 1..=5 {
            let mut call = Box::pin(store.create_session("alice", "", ""));
            let mut left = steps;
            std::future::poll_fn(|task| {
                left -= 1;
                let pending = call.poll_unpin(task).is_pending();
                if pending && left > 0 { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
            })
            .await;
            drop(call);
            assert!(is_the_same(&store).await, "gone after {steps} steps");
        }
    }

    #[tokio::test]
    async fn a_failure_closes_the_connection() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        let mut write = store.write().await.unwrap();
        let wrong = sqlx::query("SELECT nothing").execute(&mut *write).await;
        assert!(write.finish(wrong.map_err(StoreError::from)).await.is_err());
        assert!(!is_the_same(&store).await);
        store.create_session("alice", "", "").await.unwrap();
    }
}
