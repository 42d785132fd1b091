//! Tokens that were revoked.

use std::collections::BTreeMap;

use mien_shared::SessionId;
use sqlx::{Connection, PgConnection, Row};

use super::connections::PostgresStore;
use crate::store::error::Result;
use crate::store::queries::revocations;
use crate::store::revoked::{Revocation, Revoked};

impl PostgresStore {
    pub async fn revoke(&self, id: SessionId, revocation: &Revocation) -> Result<Option<Revoked>> {
        let mut writer = self.lease().await?;
        let mut transaction = writer.begin().await?;
        // Locked, so that a session that is erased in the meantime leaves no row behind.
        let here: bool = sqlx::query_scalar("SELECT true FROM sessions WHERE id = $1 FOR UPDATE")
            .bind(id.0)
            .fetch_optional(&mut *transaction)
            .await?
            .unwrap_or(false);
        let revoked = if here { Some(revoke(&mut transaction, id, revocation).await?) } else { None };
        transaction.commit().await?;
        writer.give_back();
        Ok(revoked)
    }

    /// Sessions whose tokens were revoked within the last half minute. That is longer than a transaction may take, so
    /// no revocation is missed that was recorded before another and committed after it.
    pub async fn recently_revoked(&self) -> Result<Vec<(SessionId, Revoked)>> {
        let mut reader = self.lease().await?;
        let rows = sqlx::query(
            "SELECT session_id, token, until_ms, except_id FROM revocations WHERE session_id IN \
             (SELECT session_id FROM revocations WHERE noted_at > clock_timestamp() - interval '30 seconds')",
        )
        .fetch_all(&mut *reader)
        .await?;
        reader.give_back();
        let mut all: BTreeMap<SessionId, Revoked> = BTreeMap::new();
        for row in rows {
            let revoked = all.entry(SessionId(row.try_get(0)?)).or_default();
            revocations::add(revoked, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        }
        Ok(all.into_iter().collect())
    }
}

async fn revoke(transaction: &mut PgConnection, id: SessionId, revocation: &Revocation) -> Result<Revoked> {
    let (token, until_ms, except) = revocations::columns(revocation);
    sqlx::query(
        "INSERT INTO revocations (session_id, token, until_ms, except_id) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (session_id, token) DO UPDATE SET \
         until_ms = greatest(revocations.until_ms, excluded.until_ms), except_id = excluded.except_id, \
         noted_at = clock_timestamp()",
    )
    .bind(id.0)
    .bind(token)
    .bind(until_ms)
    .bind(except)
    .execute(&mut *transaction)
    .await?;
    revocations::read(transaction, id).await
}
