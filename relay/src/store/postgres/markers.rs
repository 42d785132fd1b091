//! Markers: notes on a session's timeline.

use mien_shared::SessionId;
use mien_shared::api::{Marker, SourceName};
use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection, Row};
use uuid::Uuid;

use super::PostgresStore;
use crate::store::value::{millis, now, signed, source_name, timestamp, unsigned};
use crate::store::{Result, StoreError};

impl PostgresStore {
    /// [`StoreError::Ended`] where there is no such session, [`StoreError::TooManyMarkers`] where it is full of
    /// them.
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
        let mut transaction = writer.begin().await?;
        let made = insert(&mut transaction, id, &marker, self.quota.markers_per_session).await;
        // Also where nothing was put, so that the connection is whole.
        transaction.commit().await?;
        writer.give_back();
        made.map(|()| marker)
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

/// Under the session's lock: an erased session must not grow anything back, and markers are counted one at a
/// time.
async fn insert(writer: &mut PgConnection, id: SessionId, marker: &Marker, most: u32) -> Result<()> {
    let session = sqlx::query("SELECT FROM sessions WHERE id = $1 FOR UPDATE")
        .bind(id.0)
        .fetch_optional(&mut *writer)
        .await?;
    if session.is_none() {
        return Err(StoreError::Ended);
    }
    let markers: i64 = sqlx::query_scalar("SELECT count(*) FROM markers WHERE session_id = $1")
        .bind(id.0)
        .fetch_one(&mut *writer)
        .await?;
    if markers >= i64::from(most) {
        return Err(StoreError::TooManyMarkers(most));
    }
    sqlx::query(
        "INSERT INTO markers (session_id, id, at, label, source, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id.0)
    .bind(marker.id)
    .bind(signed(marker.at))
    .bind(&marker.label)
    .bind(marker.source.as_ref().map(SourceName::as_str))
    .bind(millis(marker.created_at))
    .execute(writer)
    .await?;
    Ok(())
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
