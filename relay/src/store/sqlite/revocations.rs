//! Tokens that were revoked.

use mien_shared::SessionId;
use sqlx::SqliteConnection;

use super::connections::SqliteStore;
use crate::store::error::Result;
use crate::store::queries::revocations;
use crate::store::revoked::{Revocation, Revoked};

impl SqliteStore {
    pub async fn revoke(&self, id: SessionId, revocation: &Revocation) -> Result<Option<Revoked>> {
        let mut write = self.write().await?;
        let revoked = revoke(&mut write, id, revocation).await;
        write.finish(revoked).await
    }
}

async fn revoke(
    write: &mut SqliteConnection,
    id: SessionId,
    revocation: &Revocation,
) -> Result<Option<Revoked>> {
    let here: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sessions WHERE id = ?)")
        .bind(id.0)
        .fetch_one(&mut *write)
        .await?;
    if !here {
        return Ok(None);
    }
    let (token, until_ms, except) = revocations::columns(revocation);
    sqlx::query(
        "INSERT INTO revocations (session_id, token, until_ms, except_id) VALUES (?, ?, ?, ?) \
         ON CONFLICT (session_id, token) DO UPDATE SET \
         until_ms = max(until_ms, excluded.until_ms), except_id = excluded.except_id",
    )
    .bind(id.0)
    .bind(token)
    .bind(until_ms)
    .bind(except)
    .execute(&mut *write)
    .await?;
    revocations::read(write, id).await.map(Some)
}
