//! Markers: notes on a session's timeline.

use mien_shared::SessionId;
use mien_shared::api::{Marker, SourceName};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::PostgresStore;
use crate::store::value::{millis, now, signed, source_name, timestamp, unsigned};
use crate::store::{Result, StoreError};

impl PostgresStore {
    /// [`StoreError::Ended`] where there is no such session.
    pub async fn create_marker(
        &self,
        id: SessionId,
        at: u64,
        label: &str,
        source: Option<&SourceName>,
    ) -> Result<Marker> {
        let marker = Marker {
            id: Uuid::now_v7(),
            at,
            label: label.to_owned(),
            source: source.cloned(),
            created_at: now(),
        };
        let mut writer = self.lease().await?;
        // Only while the session is there, and it stays until this is done: an erased one must not grow
        // anything back.
        let made = sqlx::query(
            "WITH session AS (SELECT id FROM sessions WHERE id = $1 FOR SHARE) \
             INSERT INTO markers (session_id, id, at, label, source, created_at) \
             SELECT id, $2, $3, $4, $5, $6 FROM session",
        )
        .bind(id.0)
        .bind(marker.id)
        .bind(signed(at))
        .bind(label)
        .bind(source.map(SourceName::as_str))
        .bind(millis(marker.created_at))
        .execute(&mut *writer)
        .await?;
        writer.give_back();
        if made.rows_affected() == 0 { Err(StoreError::Ended) } else { Ok(marker) }
    }

    pub async fn markers(&self, id: SessionId) -> Result<Vec<Marker>> {
        let mut reader = self.lease().await?;
        let rows = sqlx::query(
            "SELECT id, at, label, source, created_at FROM markers WHERE session_id = $1 ORDER BY at, id",
        )
        .bind(id.0)
        .fetch_all(&mut *reader)
        .await?;
        reader.give_back();
        rows.iter().map(read).collect()
    }

    pub async fn delete_marker(&self, id: SessionId, marker: Uuid) -> Result<bool> {
        let mut writer = self.lease().await?;
        let found = sqlx::query("DELETE FROM markers WHERE session_id = $1 AND id = $2")
            .bind(id.0)
            .bind(marker)
            .execute(&mut *writer)
            .await?;
        writer.give_back();
        Ok(found.rows_affected() > 0)
    }
}

fn read(row: &PgRow) -> Result<Marker> {
    Ok(Marker {
        id: row.try_get(0)?,
        at: unsigned(row.try_get(1)?),
        label: row.try_get(2)?,
        source: row.try_get::<Option<&str>, _>(3)?.map(source_name).transpose()?,
        created_at: timestamp(row.try_get(4)?),
    })
}
