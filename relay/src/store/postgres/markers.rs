//! Markers: made and deleted.

use mien_shared::SessionId;
use mien_shared::api::{Marker, SourceName};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::connections::PostgresStore;
use crate::store::error::{Result, StoreError};
use crate::store::queries::markers;

impl PostgresStore {
    /// [`StoreError::Ended`] if there is no such session, [`StoreError::TooManyMarkers`] if it has the maximum.
    pub async fn create_marker(
        &self,
        id: SessionId,
        at: u64,
        label: &str,
        source: Option<&SourceName>,
    ) -> Result<Marker> {
        let marker = markers::new(at, label, source);
        let mut writer = self.lease().await?;
        let mut transaction = writer.begin().await?;
        let made = insert(&mut transaction, id, &marker, self.quota.markers_per_session).await;
        // Even if nothing was inserted, so that the connection is left outside a transaction.
        transaction.commit().await?;
        writer.give_back();
        made.map(|()| marker)
    }

    pub async fn delete_marker(&self, id: SessionId, marker: Uuid) -> Result<bool> {
        let mut writer = self.lease().await?;
        let found = markers::delete(&mut *writer, id, marker).await?;
        writer.give_back();
        Ok(found)
    }
}

/// Under the session's lock: nothing may be added to an erased session, and markers are counted one at a time.
async fn insert(writer: &mut PgConnection, id: SessionId, marker: &Marker, max: u32) -> Result<()> {
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
    if markers >= i64::from(max) {
        return Err(StoreError::TooManyMarkers(max));
    }
    markers::insert(writer, id, marker).await
}
