//! Tokens that were revoked.

use mien_shared::SessionId;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::SqliteStore;
use crate::auth::{Revocation, Revoked};
use crate::store::Result;
use crate::store::value::{add_revocation, millis, now};

impl SqliteStore {
    pub async fn revoke(&self, id: SessionId, revocation: &Revocation) -> Result<Option<Revoked>> {
        let mut write = self.write().await?;
        let revoked = revoke(&mut write, id, revocation).await;
        write.finish(revoked).await
    }

    pub async fn revoked(&self, id: SessionId) -> Result<Revoked> {
        read(&mut *self.reader().await?, id).await
    }
}

async fn revoke(
    write: &mut SqliteConnection,
    id: SessionId,
    revocation: &Revocation,
) -> Result<Option<Revoked>> {
    let here: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sessions WHERE id = ?)")
        .bind(id.0.as_bytes().as_slice())
        .fetch_one(&mut *write)
        .await?;
    if !here {
        return Ok(None);
    }
    let (token, until_ms, except) = match revocation {
        Revocation::One(token) => (token.as_str(), millis(now()), None),
        Revocation::All { until_ms, except } => ("", *until_ms, except.as_deref()),
    };
    sqlx::query(
        "INSERT INTO revocations (session_id, token, until_ms, except_id) VALUES (?, ?, ?, ?) \
         ON CONFLICT (session_id, token) DO UPDATE SET \
         until_ms = max(until_ms, excluded.until_ms), except_id = excluded.except_id",
    )
    .bind(id.0.as_bytes().as_slice())
    .bind(token)
    .bind(until_ms)
    .bind(except)
    .execute(&mut *write)
    .await?;
    read(write, id).await.map(Some)
}

async fn read(connection: &mut SqliteConnection, id: SessionId) -> Result<Revoked> {
    let rows: Vec<SqliteRow> =
        sqlx::query("SELECT token, until_ms, except_id FROM revocations WHERE session_id = ?")
            .bind(id.0.as_bytes().as_slice())
            .fetch_all(connection)
            .await?;
    let mut revoked = Revoked::default();
    for row in rows {
        add_revocation(&mut revoked, row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    }
    Ok(revoked)
}
