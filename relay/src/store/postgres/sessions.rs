//! Sessions: made, listed, changed, erased.

use mien_shared::api::{PatchSession, Session};
use mien_shared::limits::MAX_TOKEN_TTL;
use mien_shared::{SessionId, SessionStatus};
use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection, Row};
use uuid::Uuid;

use super::{PostgresStore, patiently};
use crate::store::value::{millis, now, signed, timestamp, unsigned};
use crate::store::{Found, Page, Result, SessionCursor, StoreError};

/// Samples erased in one transaction.
const SWEEP_ROWS: i64 = 2_000;

impl PostgresStore {
    pub async fn create_session(&self, user: &str, title: &str, purpose: &str) -> Result<Session> {
        let session = Session {
            id: SessionId(Uuid::now_v7()),
            user_id: user.to_owned(),
            title: title.to_owned(),
            purpose: purpose.to_owned(),
            status: SessionStatus::Active,
            started_at: now(),
            completed_at: None,
        };
        let mut writer = self.lease().await?;
        let mut transaction = writer.begin().await?;
        let inserted = insert(&mut transaction, &session, self.quota.sessions).await?;
        transaction.commit().await?;
        writer.give_back();
        if inserted { Ok(session) } else { Err(StoreError::TooManySessions(self.quota.sessions)) }
    }

    pub async fn session(&self, id: SessionId) -> Result<Option<Session>> {
        let mut reader = self.lease().await?;
        let session = find(&mut reader, id).await?;
        reader.give_back();
        Ok(session)
    }

    pub async fn find_session(&self, id: SessionId) -> Result<Found> {
        let mut reader = self.lease().await?;
        let found = match find(&mut reader, id).await? {
            Some(session) => Found::Here(session),
            None if is_erased(&mut reader, id).await? => Found::Erased,
            None => Found::Never,
        };
        reader.give_back();
        Ok(found)
    }

    pub async fn list_sessions(
        &self,
        user: &str,
        after: Option<SessionCursor>,
        limit: u32,
    ) -> Result<Page<Session, SessionCursor>> {
        // Every id is below this one.
        let before = after.map_or(Uuid::max(), |cursor| cursor.0.0);
        let mut reader = self.lease().await?;
        let rows = sqlx::query(
            "SELECT id, user_id, title, purpose, status, started_at, completed_at FROM sessions \
             WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        )
        .bind(user)
        .bind(before)
        .bind(i64::from(limit) + 1)
        .fetch_all(&mut *reader)
        .await?;
        reader.give_back();
        let mut rows = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|last| SessionCursor(last.id));
        Ok(Page { rows, next })
    }

    pub async fn update_session(&self, id: SessionId, patch: &PatchSession) -> Result<Option<Session>> {
        let mut writer = self.lease().await?;
        let mut transaction = writer.begin().await?;
        let updated = match find_locked(&mut transaction, id).await? {
            Some(session) => update_locked(&mut transaction, session, patch).await.map(Some),
            None => Ok(None),
        };
        // Also where nothing was changed, so that the connection is whole.
        transaction.commit().await?;
        writer.give_back();
        updated
    }

    pub async fn delete_session(&self, id: SessionId) -> Result<bool> {
        let mut writer = self.lease().await?;
        let mut transaction = writer.begin().await?;
        let found =
            sqlx::query("DELETE FROM sessions WHERE id = $1").bind(id.0).execute(&mut *transaction).await?;
        if found.rows_affected() > 0 {
            end_sources(&mut transaction, id).await?;
            sqlx::query("DELETE FROM markers WHERE session_id = $1")
                .bind(id.0)
                .execute(&mut *transaction)
                .await?;
            sqlx::query("DELETE FROM revocations WHERE session_id = $1")
                .bind(id.0)
                .execute(&mut *transaction)
                .await?;
            sqlx::query("INSERT INTO erased_sessions (id, erased_at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                .bind(id.0)
                .bind(millis(now()))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        // No token lives so long.
        sqlx::query("DELETE FROM erased_sessions WHERE erased_at < $1")
            .bind(millis(now()) - signed(MAX_TOKEN_TTL.as_secs() * 1_000))
            .execute(&mut *writer)
            .await?;
        writer.give_back();
        Ok(found.rows_affected() > 0)
    }

    pub async fn sweep(&self, only: Option<SessionId>) -> Result<()> {
        let orphans = patiently(self.orphans(only)).await?;
        for key in orphans {
            let mut after = Some(0);
            while let Some(seq) = after {
                after = patiently(self.sweep_chunk(key, seq)).await?;
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

    /// Erases some samples of a source and gives the last of them; or erases the source, once it has none.
    /// Whatever was on the way to it is stored or refused by now: the source has ended.
    async fn sweep_chunk(&self, key: i64, after: i64) -> Result<Option<i64>> {
        let mut writer = self.lease().await?;
        let last: Option<i64> = sqlx::query_scalar(
            // From where the last chunk ended: what it left behind on the pages need not be passed over again.
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

    pub async fn count_sessions(&self) -> Result<u64> {
        let mut reader = self.lease().await?;
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM sessions").fetch_one(&mut *reader).await?;
        reader.give_back();
        Ok(unsigned(count))
    }

    pub async fn abandoned_sessions(
        &self,
        before: jiff::Timestamp,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionId>> {
        let mut reader = self.lease().await?;
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM sessions e WHERE id > $1 AND status = 'active' AND started_at < $2 AND NOT EXISTS \
             (SELECT 1 FROM sources s WHERE s.session_id = e.id AND stored_at >= $2) ORDER BY id LIMIT $3",
        )
        // No id is this one.
        .bind(after.map_or(Uuid::nil(), |id| id.0))
        .bind(millis(before))
        .bind(i64::from(limit))
        .fetch_all(&mut *reader)
        .await?;
        reader.give_back();
        Ok(ids.into_iter().map(SessionId).collect())
    }

    pub async fn expired_sessions(&self, before: jiff::Timestamp, limit: u32) -> Result<Vec<SessionId>> {
        let mut reader = self.lease().await?;
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM sessions WHERE completed_at IS NOT NULL AND completed_at < $1 \
             ORDER BY completed_at LIMIT $2",
        )
        .bind(millis(before))
        .bind(i64::from(limit))
        .fetch_all(&mut *reader)
        .await?;
        reader.give_back();
        Ok(ids.into_iter().map(SessionId).collect())
    }
}

/// False where the user has as many as they may have. A user's sessions are made one at a time, on whichever relay, so
/// the count holds.
async fn insert(transaction: &mut PgConnection, session: &Session, most: u32) -> Result<bool> {
    // A statement of its own: the next one then sees what whoever had the lock before has committed.
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
    .bind(i64::from(most))
    .execute(transaction)
    .await?;
    Ok(inserted.rows_affected() > 0)
}

async fn update_locked(
    transaction: &mut PgConnection,
    mut session: Session,
    patch: &PatchSession,
) -> Result<Session> {
    match (session.status, patch.status) {
        (SessionStatus::Completed, Some(SessionStatus::Active)) => return Err(StoreError::Conflict),
        (SessionStatus::Active, Some(SessionStatus::Completed)) => {
            session.status = SessionStatus::Completed;
            session.completed_at = Some(now());
            end_sources(&mut *transaction, session.id).await?;
        }
        _ => {}
    }
    if let Some(title) = &patch.title {
        session.title.clone_from(title);
    }
    sqlx::query("UPDATE sessions SET title = $1, status = $2, completed_at = $3 WHERE id = $4")
        .bind(&session.title)
        .bind(session.status.name())
        .bind(session.completed_at.map(millis))
        .bind(session.id.0)
        .execute(transaction)
        .await?;
    Ok(session)
}

/// Lets the session's sources take nothing more, once the commits under way are done.
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

async fn find(connection: &mut PgConnection, id: SessionId) -> Result<Option<Session>> {
    let row = sqlx::query(
        "SELECT id, user_id, title, purpose, status, started_at, completed_at FROM sessions WHERE id = $1",
    )
    .bind(id.0)
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read).transpose()
}

/// The session as it stays until the transaction ends.
async fn find_locked(transaction: &mut PgConnection, id: SessionId) -> Result<Option<Session>> {
    sqlx::query("SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE")
        .bind(id.0)
        .execute(&mut *transaction)
        .await?;
    find(transaction, id).await
}

async fn is_erased(connection: &mut PgConnection, id: SessionId) -> Result<bool> {
    let erased = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM erased_sessions WHERE id = $1)")
        .bind(id.0)
        .fetch_one(connection)
        .await?;
    Ok(erased)
}

fn read(row: &PgRow) -> Result<Session> {
    let status: &str = row.try_get(4)?;
    Ok(Session {
        id: SessionId(row.try_get(0)?),
        user_id: row.try_get(1)?,
        title: row.try_get(2)?,
        purpose: row.try_get(3)?,
        status: if status == "active" { SessionStatus::Active } else { SessionStatus::Completed },
        started_at: timestamp(row.try_get(5)?),
        completed_at: row.try_get::<Option<i64>, _>(6)?.map(timestamp),
    })
}
