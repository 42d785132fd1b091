//! Markers: notes on a session's timeline.

use mien_shared::SessionId;
use mien_shared::api::{Marker, SourceName};
use uuid::Uuid;

use crate::store::backend::Backend;
use crate::store::error::Result;
use crate::store::value::{millis, now, signed, source_name, timestamp, unsigned};

/// A marker that is not stored yet.
pub(in crate::store) fn new(at: u64, label: &str, source: Option<&SourceName>) -> Marker {
    Marker { id: Uuid::now_v7(), at, label: label.to_owned(), source: source.cloned(), created_at: now() }
}

pub(in crate::store) async fn insert(
    writer: &mut impl Backend,
    id: SessionId,
    marker: &Marker,
) -> Result<()> {
    writer
        .execute(
            "INSERT INTO markers (session_id, id, at, label, source, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
            &[
                id.0.into(),
                marker.id.into(),
                signed(marker.at).into(),
                marker.label.as_str().into(),
                marker.source.as_ref().map(SourceName::as_str).into(),
                millis(marker.created_at).into(),
            ],
        )
        .await?;
    Ok(())
}

type Row = (Uuid, i64, String, Option<String>, i64);

/// All markers of a session by `at`, then by creation.
pub(in crate::store) async fn list(reader: &mut impl Backend, id: SessionId) -> Result<Vec<Marker>> {
    let rows: Vec<Row> = reader
        .fetch_all(
            "SELECT id, at, label, source, created_at FROM markers WHERE session_id = $1 ORDER BY at, id",
            &[id.0.into()],
        )
        .await?;
    let marker = |(id, at, label, source, created_at): Row| {
        let source = source.as_deref().map(source_name).transpose()?;
        Ok(Marker { id, at: unsigned(at), label, source, created_at: timestamp(created_at) })
    };
    rows.into_iter().map(marker).collect()
}

/// False if the session has no such marker.
pub(in crate::store) async fn delete(writer: &mut impl Backend, id: SessionId, marker: Uuid) -> Result<bool> {
    let delete = "DELETE FROM markers WHERE session_id = $1 AND id = $2";
    Ok(writer.execute(delete, &[id.0.into(), marker.into()]).await? > 0)
}
