//! Whether the database accepts what ingest writes: a file may be readable and refuse writes.

use sqlx::SqliteConnection;
use uuid::Uuid;

use super::connections::SqliteStore;
use crate::store::error::Result;

/// Writes to each table: one row to the first, and whether the others are there at all.
const STATEMENTS: [&str; 6] = [
    "INSERT INTO sessions (id, user_id, title, purpose, status, started_at) VALUES (?, '', '', '', 'active', 0)",
    "INSERT INTO sources (session_id, name) SELECT ?, '' WHERE false",
    "INSERT INTO samples (source_key, seq, at, faces) SELECT 0, 0, 0, ? WHERE false",
    "INSERT INTO gaps (source_key, first_seq, last_seq) SELECT 0, 0, length(?) WHERE false",
    "DELETE FROM markers WHERE session_id = ? AND false",
    "DELETE FROM erased_sessions WHERE id = ? AND false",
];

impl SqliteStore {
    /// Writes and rolls back, which never reaches the disk.
    pub async fn try_write(&self) -> Result<()> {
        let mut write = self.write().await?;
        let tried = write_all(&mut write).await;
        write.undo(tried).await
    }
}

pub(super) async fn write_all(write: &mut SqliteConnection) -> Result<()> {
    let id = Uuid::now_v7();
    for statement in STATEMENTS {
        sqlx::query(statement).bind(id).execute(&mut *write).await?;
    }
    Ok(())
}
