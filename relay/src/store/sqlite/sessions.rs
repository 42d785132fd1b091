//! Sessions: made, changed, erased.

use mien_shared::SessionId;
use mien_shared::api::{PatchSession, Session};
use sqlx::SqliteConnection;

use super::connections::SqliteStore;
use crate::store::error::{Result, StoreError};
use crate::store::queries::sessions;
use crate::store::value::millis;

/// Samples erased in one transaction: a few milliseconds, after which ingest has its turn.
const SWEEP_ROWS: i64 = 2_000;

impl SqliteStore {
    pub async fn create_session(&self, user: &str, title: &str, purpose: &str) -> Result<Session> {
        let session = sessions::new(user, title, purpose);
        let mut write = self.write().await?;
        let inserted = insert(&mut write, &session, self.quota.sessions).await;
        write.finish(inserted.map(|()| session)).await
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
        let deleted = delete(&mut write, id).await;
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
        .bind(only.map(|id| id.0))
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
}

/// Nobody else writes in the meantime, so the count is exact.
async fn insert(write: &mut SqliteConnection, session: &Session, max: u32) -> Result<()> {
    let sessions: i64 =
        sqlx::query_scalar("SELECT count(*) FROM (SELECT 1 FROM sessions WHERE user_id = ? LIMIT ?)")
            .bind(&session.user_id)
            .bind(max)
            .fetch_one(&mut *write)
            .await?;
    if sessions >= i64::from(max) {
        return Err(StoreError::TooManySessions(max));
    }
    sqlx::query(
        "INSERT INTO sessions (id, user_id, title, purpose, status, started_at) VALUES (?, ?, ?, ?, 'active', ?)",
    )
    .bind(session.id.0)
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
    let Some(session) = sessions::find(&mut *write, id).await? else { return Ok(None) };
    let session = sessions::patched(session, patch)?;
    sessions::save(write, &session).await?;
    Ok(Some(session))
}

async fn delete(write: &mut SqliteConnection, id: SessionId) -> Result<bool> {
    if !sessions::delete(&mut *write, id).await? {
        return Ok(false);
    }
    sessions::delete_belongings(&mut *write, id).await?;
    sessions::forget_erased(write).await?;
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
