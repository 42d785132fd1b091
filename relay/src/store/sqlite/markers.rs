//! Markers: made and deleted.

use mien_shared::SessionId;
use mien_shared::api::{Marker, SourceName};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::connections::SqliteStore;
use crate::store::error::{Result, StoreError};
use crate::store::queries::markers;

impl SqliteStore {
    /// [`StoreError::Ended`] if there is no such session, [`StoreError::TooManyMarkers`] if it has the maximum.
    pub async fn create_marker(
        &self,
        id: SessionId,
        at: u64,
        label: &str,
        source: Option<&SourceName>,
    ) -> Result<Marker> {
        let marker = markers::new(at, label, source);
        let mut write = self.write().await?;
        let made = insert(&mut write, id, &marker, self.quota.markers_per_session).await;
        write.finish(made.map(|()| marker)).await
    }

    pub async fn delete_marker(&self, id: SessionId, marker: Uuid) -> Result<bool> {
        let mut write = self.write().await?;
        let found = markers::delete(&mut *write, id, marker).await;
        let found = write.finish(found).await?;
        if found {
            self.unclean.mark();
        }
        Ok(found)
    }
}

/// Only while the session exists: nothing may be added to an erased one.
async fn insert(write: &mut SqliteConnection, id: SessionId, marker: &Marker, max: u32) -> Result<()> {
    let markers: Option<i64> = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM markers WHERE session_id = sessions.id) FROM sessions WHERE id = ?",
    )
    .bind(id.0)
    .fetch_optional(&mut *write)
    .await?;
    if markers.ok_or(StoreError::Ended)? >= i64::from(max) {
        return Err(StoreError::TooManyMarkers(max));
    }
    markers::insert(write, id, marker).await
}
