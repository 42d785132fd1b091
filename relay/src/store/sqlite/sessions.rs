//! Sessions: made, listed, changed, erased.

use mien_shared::api::{PatchSession, Session};
use mien_shared::limits::MAX_TOKEN_TTL;
use mien_shared::{SessionId, SessionStatus};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::SqliteStore;
use crate::store::value::{millis, now, signed, timestamp, unsigned};
use crate::store::{Found, Page, Result, SessionCursor, StoreError};

/// Samples erased in one transaction: a few milliseconds, after which ingest has its turn.
const SWEEP_ROWS: i64 = 2_000;

impl SqliteStore {
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
        let mut write = self.write().await?;
        let inserted = insert(&mut write, &session, self.quota.sessions).await;
        write.finish(inserted.map(|()| session)).await
    }

    pub async fn session(&self, id: SessionId) -> Result<Option<Session>> {
        find(&mut *self.reader().await?, id).await
    }

    pub async fn find_session(&self, id: SessionId) -> Result<Found> {
        let mut reader = self.reader().await?;
        if let Some(session) = find(&mut reader, id).await? {
            return Ok(Found::Here(session));
        }
        let erased: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM erased_sessions WHERE id = ?)")
            .bind(id.0.as_bytes().as_slice())
            .fetch_one(&mut *reader)
            .await?;
        Ok(if erased { Found::Erased } else { Found::Never })
    }

    pub async fn list_sessions(
        &self,
        user: &str,
        after: Option<SessionCursor>,
        limit: u32,
    ) -> Result<Page<Session, SessionCursor>> {
        // Every id is below this one.
        let before = after.map_or([0xff; 16], |cursor| *cursor.0.0.as_bytes());
        let rows = sqlx::query(
            "SELECT id, user_id, title, purpose, status, started_at, completed_at FROM sessions \
             WHERE user_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
        )
        .bind(user)
        .bind(before.as_slice())
        .bind(i64::from(limit) + 1)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        let mut rows = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|last| SessionCursor(last.id));
        Ok(Page { rows, next })
    }

    pub async fn update_session(&self, id: SessionId, patch: &PatchSession) -> Result<Option<Session>> {
        let mut write = self.write().await?;
        let updated = update(&mut write, id, patch).await;
        let updated = write.finish(updated).await?;
        if patch.title.is_some() {
            self.unclean.mark();
        }
        Ok(updated)
    }

    pub async fn delete_session(&self, id: SessionId) -> Result<bool> {
        let mut write = self.write().await?;
        let deleted = delete(&mut write, id.0.as_bytes()).await;
        let deleted = write.finish(deleted).await?;
        if deleted {
            self.unclean.mark();
        }
        Ok(deleted)
    }

    pub async fn sweep(&self, only: Option<SessionId>) -> Result<()> {
        let orphans: Vec<i64> = sqlx::query_scalar(
            "SELECT key FROM sources WHERE NOT EXISTS (SELECT 1 FROM sessions WHERE id = session_id) \
             AND (?1 IS NULL OR session_id = ?1)",
        )
        .bind(only.as_ref().map(|id| id.0.as_bytes().as_slice()))
        .fetch_all(&mut *self.reader().await?)
        .await?;
        for key in orphans {
            self.unclean.mark();
            while self.sweep_chunk(key).await? {}
        }
        self.scrub_in_time().await
    }

    async fn sweep_chunk(&self, key: i64) -> Result<bool> {
        let mut write = self.write().await?;
        let left = sweep_chunk(&mut write, key).await;
        write.finish(left).await
    }

    pub async fn count_sessions(&self) -> Result<u64> {
        let count = "SELECT count(*) FROM sessions";
        let count: i64 = sqlx::query_scalar(count).fetch_one(&mut *self.reader().await?).await?;
        Ok(unsigned(count))
    }

    pub async fn abandoned_sessions(
        &self,
        before: jiff::Timestamp,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionId>> {
        // Every id is above none.
        let after = after.map_or(Vec::new(), |id| id.0.as_bytes().to_vec());
        let ids: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT id FROM sessions WHERE id > ?1 AND status = 'active' AND started_at < ?2 AND NOT EXISTS \
             (SELECT 1 FROM sources WHERE session_id = id AND stored_at >= ?2) ORDER BY id LIMIT ?3",
        )
        .bind(after)
        .bind(millis(before))
        .bind(limit)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        ids.iter().map(|id| read_id(id)).collect()
    }

    pub async fn expired_sessions(&self, before: jiff::Timestamp, limit: u32) -> Result<Vec<SessionId>> {
        let ids: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT id FROM sessions WHERE completed_at IS NOT NULL AND completed_at < ? ORDER BY completed_at LIMIT ?",
        )
        .bind(millis(before))
        .bind(limit)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        ids.iter().map(|id| read_id(id)).collect()
    }
}

/// Nobody else writes meanwhile, so the count holds.
async fn insert(write: &mut SqliteConnection, session: &Session, most: u32) -> Result<()> {
    let sessions: i64 =
        sqlx::query_scalar("SELECT count(*) FROM (SELECT 1 FROM sessions WHERE user_id = ? LIMIT ?)")
            .bind(&session.user_id)
            .bind(most)
            .fetch_one(&mut *write)
            .await?;
    if sessions >= i64::from(most) {
        return Err(StoreError::TooManySessions(most));
    }
    sqlx::query(
        "INSERT INTO sessions (id, user_id, title, purpose, status, started_at) VALUES (?, ?, ?, ?, 'active', ?)",
    )
    .bind(session.id.0.as_bytes().as_slice())
    .bind(&session.user_id)
    .bind(&session.title)
    .bind(&session.purpose)
    .bind(millis(session.started_at))
    .execute(write)
    .await?;
    Ok(())
}

async fn update(
    write: &mut SqliteConnection,
    id: SessionId,
    patch: &PatchSession,
) -> Result<Option<Session>> {
    let Some(mut session) = find(&mut *write, id).await? else { return Ok(None) };
    match (session.status, patch.status) {
        (SessionStatus::Completed, Some(SessionStatus::Active)) => return Err(StoreError::Conflict),
        (SessionStatus::Active, Some(SessionStatus::Completed)) => {
            session.status = SessionStatus::Completed;
            session.completed_at = Some(now());
        }
        _ => {}
    }
    if let Some(title) = &patch.title {
        session.title.clone_from(title);
    }
    sqlx::query("UPDATE sessions SET title = ?, status = ?, completed_at = ? WHERE id = ?")
        .bind(&session.title)
        .bind(session.status.name())
        .bind(session.completed_at.map(millis))
        .bind(id.0.as_bytes().as_slice())
        .execute(write)
        .await?;
    Ok(Some(session))
}

async fn delete(write: &mut SqliteConnection, id: &[u8]) -> Result<bool> {
    let found = sqlx::query("DELETE FROM sessions WHERE id = ?").bind(id).execute(&mut *write).await?;
    if found.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("DELETE FROM markers WHERE session_id = ?").bind(id).execute(&mut *write).await?;
    sqlx::query("DELETE FROM revocations WHERE session_id = ?").bind(id).execute(&mut *write).await?;
    sqlx::query("INSERT OR IGNORE INTO erased_sessions (id, erased_at) VALUES (?, ?)")
        .bind(id)
        .bind(millis(now()))
        .execute(&mut *write)
        .await?;
    // No token lives so long.
    sqlx::query("DELETE FROM erased_sessions WHERE erased_at < ?")
        .bind(millis(now()) - signed(MAX_TOKEN_TTL.as_secs() * 1_000))
        .execute(write)
        .await?;
    Ok(true)
}

/// Erases some samples of a source, or the source once it has none; false when all is gone.
async fn sweep_chunk(write: &mut SqliteConnection, key: i64) -> Result<bool> {
    let erased = sqlx::query(
        "DELETE FROM samples WHERE source_key = ?1 AND seq <= \
         (SELECT max(seq) FROM (SELECT seq FROM samples WHERE source_key = ?1 ORDER BY seq LIMIT ?2))",
    )
    .bind(key)
    .bind(SWEEP_ROWS)
    .execute(&mut *write)
    .await?
    .rows_affected();
    if erased == 0 {
        sqlx::query("DELETE FROM gaps WHERE source_key = ?").bind(key).execute(&mut *write).await?;
        sqlx::query("DELETE FROM sources WHERE key = ?").bind(key).execute(write).await?;
    }
    Ok(erased > 0)
}

async fn find(connection: &mut SqliteConnection, id: SessionId) -> Result<Option<Session>> {
    let row = sqlx::query(
        "SELECT id, user_id, title, purpose, status, started_at, completed_at FROM sessions WHERE id = ?",
    )
    .bind(id.0.as_bytes().as_slice())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &SqliteRow) -> Result<Session> {
    let status: &str = row.try_get(4)?;
    Ok(Session {
        id: read_id(row.try_get(0)?)?,
        user_id: row.try_get(1)?,
        title: row.try_get(2)?,
        purpose: row.try_get(3)?,
        status: if status == "active" { SessionStatus::Active } else { SessionStatus::Completed },
        started_at: timestamp(row.try_get(5)?),
        completed_at: row.try_get::<Option<i64>, _>(6)?.map(timestamp),
    })
}

fn read_id(bytes: &[u8]) -> Result<SessionId> {
    let id = Uuid::from_slice(bytes).map_err(|cause| sqlx::Error::Decode(cause.into()))?;
    Ok(SessionId(id))
}
