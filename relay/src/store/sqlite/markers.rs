//! Markers: notes on a session's timeline.

use mien_shared::SessionId;
use mien_shared::api::{Marker, SourceName};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::SqliteStore;
use crate::store::value::{millis, now, signed, source_name, timestamp, unsigned};
use crate::store::{Result, StoreError};

impl SqliteStore {
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
        let mut write = self.write().await?;
        let made = insert(&mut write, id, &marker, self.quota.markers_per_session).await;
        write.finish(made.map(|()| marker)).await
    }

    pub async fn markers(&self, id: SessionId) -> Result<Vec<Marker>> {
        let rows = sqlx::query(
            "SELECT id, at, label, source, created_at FROM markers WHERE session_id = ? ORDER BY at, id",
        )
        .bind(id.0.as_bytes().as_slice())
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter().map(read).collect()
    }

    pub async fn delete_marker(&self, id: SessionId, marker: Uuid) -> Result<bool> {
        let mut write = self.write().await?;
        let found = sqlx::query("DELETE FROM markers WHERE session_id = ? AND id = ?")
            .bind(id.0.as_bytes().as_slice())
            .bind(marker.as_bytes().as_slice())
            .execute(&mut *write)
            .await;
        let found = found.map(|found| found.rows_affected() > 0).map_err(StoreError::from);
        let found = write.finish(found).await?;
        if found {
            self.unclean.mark();
        }
        Ok(found)
    }
}

/// Only while the session is there: an erased one must not grow anything back.
async fn insert(write: &mut SqliteConnection, id: SessionId, marker: &Marker, most: u32) -> Result<()> {
    let markers: Option<i64> = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM markers WHERE session_id = sessions.id) FROM sessions WHERE id = ?",
    )
    .bind(id.0.as_bytes().as_slice())
    .fetch_optional(&mut *write)
    .await?;
    if markers.ok_or(StoreError::Ended)? >= i64::from(most) {
        return Err(StoreError::TooManyMarkers(most));
    }
    sqlx::query(
        "INSERT INTO markers (session_id, id, at, label, source, created_at) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(id.0.as_bytes().as_slice())
    .bind(marker.id.as_bytes().as_slice())
    .bind(signed(marker.at))
    .bind(&marker.label)
    .bind(marker.source.as_ref().map(SourceName::as_str))
    .bind(millis(marker.created_at))
    .execute(write)
    .await?;
    Ok(())
}

fn read(row: &SqliteRow) -> Result<Marker> {
    Ok(Marker {
        id: Uuid::from_slice(row.try_get(0)?).map_err(|cause| sqlx::Error::Decode(cause.into()))?,
        at: unsigned(row.try_get(1)?),
        label: row.try_get(2)?,
        source: row.try_get::<Option<&str>, _>(3)?.map(source_name).transpose()?,
        created_at: timestamp(row.try_get(4)?),
    })
}
