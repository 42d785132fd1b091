//! Sessions: made, changed, erased.

use mien_shared::api::{PatchSession, Session};
use mien_shared::{SessionId, SessionStatus};
use sqlx::{Connection, PgConnection};

use super::connections::PostgresStore;
use super::timeout::with_timeout;
use crate::store::error::{Result, StoreError};
use crate::store::queries::sessions;
use crate::store::value::millis;

/// Samples erased in one transaction.
const SWEEP_ROWS: i64 = 2_000;

impl PostgresStore {
    pub async fn create_session(&self, user: &str, title: &str, purpose: &str) -> Result<Session> {
        let session = sessions::new(user, title, purpose);
        let mut writer = self.lease().await?;
        let mut transaction = writer.begin().await?;
        let inserted = insert(&mut transaction, &session, self.quota.sessions).await?;
        transaction.commit().await?;
        writer.give_back();
        if inserted { Ok(session) } else { Err(StoreError::TooManySessions(self.quota.sessions)) }
    }

    pub async fn update_session(&self, id: SessionId, patch: &PatchSession) -> Result<Option<Session>> {
        let mut writer = self.lease().await?;
        let mut transaction = writer.begin().await?;
        let updated = match find_locked(&mut transaction, id).await? {
            Some(session) => update_locked(&mut transaction, session, patch).await.map(Some),
            None => Ok(None),
        };
        // Even if nothing was changed, so that the connection is left outside a transaction.
        transaction.commit().await?;
        writer.give_back();
        updated
    }

    pub async fn delete_session(&self, id: SessionId) -> Result<bool> {
        let mut writer = self.lease().await?;
        let mut transaction = writer.begin().await?;
        let found = sessions::delete(&mut *transaction, id).await?;
        if found {
            end_sources(&mut transaction, id).await?;
            sessions::delete_belongings(&mut *transaction, id).await?;
        }
        transaction.commit().await?;
        sessions::forget_erased(&mut *writer).await?;
        writer.give_back();
        Ok(found)
    }

    pub async fn sweep(&self, only: Option<SessionId>) -> Result<()> {
        let orphans = with_timeout(self.orphans(only)).await?;
        for key in orphans {
            let mut after = Some(0);
            while let Some(seq) = after {
                after = with_timeout(self.sweep_chunk(key, seq)).await?;
            }
        }
        Ok(())
    }

    /// Sources whose session is erased.
    async fn orphans(&self, only: Option<SessionId>) -> Result<Vec<i64>> {
        let mut reader = self.lease().await?;
        let orphans = sqlx::query_scalar(
            "SELECT key FROM sources s WHERE ended \
             AND NOT EXISTS (SELECT 1 FROM sessions e WHERE e.id = s.session_id) \
             AND ($1::uuid IS NULL OR session_id = $1) ORDER BY key",
        )
        .bind(only.map(|id| id.0))
        .fetch_all(&mut *reader)
        .await?;
        reader.give_back();
        Ok(orphans)
    }

    /// Erases some samples of a source and returns the last of them; or erases the source, once it has none. Nothing
    /// can be stored in it in the meantime: the source has ended.
    async fn sweep_chunk(&self, key: i64, after: i64) -> Result<Option<i64>> {
        let mut writer = self.lease().await?;
        let last: Option<i64> = sqlx::query_scalar(
            // From where the last chunk ended, so that its dead rows are not scanned again.
            "WITH chunk AS ( \
                 SELECT seq FROM samples WHERE source_key = $1 AND seq > $2 ORDER BY seq LIMIT $3 \
             ), erased AS ( \
                 DELETE FROM samples WHERE source_key = $1 AND seq > $2 AND seq <= (SELECT max(seq) FROM chunk) \
             ) SELECT max(seq) FROM chunk",
        )
        .bind(key)
        .bind(after)
        .bind(SWEEP_ROWS)
        .fetch_one(&mut *writer)
        .await?;
        if last.is_none() {
            sqlx::query("DELETE FROM gaps WHERE source_key = $1").bind(key).execute(&mut *writer).await?;
            sqlx::query("DELETE FROM sources WHERE key = $1").bind(key).execute(&mut *writer).await?;
        }
        writer.give_back();
        Ok(last)
    }
}

/// False if the user has as many as they may have. A user's sessions are created one at a time across all relays, so
/// the count is exact.
async fn insert(transaction: &mut PgConnection, session: &Session, max: u32) -> Result<bool> {
    // A separate statement, so that the next one sees what the lock's previous holder committed.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('mien sessions of ' || $1, 0))")
        .bind(&session.user_id)
        .execute(&mut *transaction)
        .await?;
    let inserted = sqlx::query(
        "INSERT INTO sessions (id, user_id, title, purpose, status, started_at) \
         SELECT $1, $2, $3, $4, 'active', $5 \
         WHERE (SELECT count(*) FROM (SELECT 1 FROM sessions WHERE user_id = $2 LIMIT $6) s) < $6",
    )
    .bind(session.id.0)
    .bind(&session.user_id)
    .bind(&session.title)
    .bind(&session.purpose)
    .bind(millis(session.started_at))
    .bind(i64::from(max))
    .execute(transaction)
    .await?;
    Ok(inserted.rows_affected() > 0)
}

async fn update_locked(
    transaction: &mut PgConnection,
    session: Session,
    patch: &PatchSession,
) -> Result<Session> {
    let was = session.status;
    let session = sessions::patched(session, patch)?;
    if was == SessionStatus::Active && session.status == SessionStatus::Completed {
        end_sources(&mut *transaction, session.id).await?;
    }
    sessions::save(transaction, &session).await?;
    Ok(session)
}

/// Makes the session's sources accept nothing more, once commits in progress are done.
async fn end_sources(transaction: &mut PgConnection, id: SessionId) -> Result<()> {
    sqlx::query(
        "UPDATE sources SET ended = true WHERE key IN \
         (SELECT key FROM sources WHERE session_id = $1 ORDER BY key FOR UPDATE)",
    )
    .bind(id.0)
    .execute(transaction)
    .await?;
    Ok(())
}

/// The session, locked until the transaction ends.
async fn find_locked(transaction: &mut PgConnection, id: SessionId) -> Result<Option<Session>> {
    sqlx::query("SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE")
        .bind(id.0)
        .execute(&mut *transaction)
        .await?;
    sessions::find(transaction, id).await
}
