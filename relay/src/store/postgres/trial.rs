//! Whether the database accepts what ingest writes: it may be readable and refuse writes, as when it is read-only by
//! default or was restored without its grants.

use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::connections::PostgresStore;
use crate::store::error::Result;

/// Inserts one row into the first table. For the others it only tries statements that affect no row: rights are checked
/// before the server finds that there is none.
const STATEMENTS: [&str; 8] = [
    "INSERT INTO sessions (id, user_id, title, purpose, status, started_at) VALUES ($1, '', '', '', 'active', 0)",
    "UPDATE sessions SET title = title WHERE id = $1",
    "INSERT INTO sources (session_id, name) SELECT $1, '' WHERE false",
    "UPDATE sources SET through = through WHERE session_id = $1",
    "INSERT INTO samples (source_key, seq, at, faces) \
     SELECT 0, 0, 0, 'x' FROM sources WHERE session_id = $1 AND false",
    "INSERT INTO gaps (source_key, first_seq, last_seq) SELECT 0, 0, 0 FROM sources WHERE session_id = $1 AND false",
    "INSERT INTO markers (session_id, id, at, label, created_at) SELECT $1, $1, 0, '', 0 WHERE false",
    "INSERT INTO erased_sessions (id, erased_at) SELECT $1, 0 WHERE false",
];

impl PostgresStore {
    /// Writes and rolls back.
    pub async fn try_write(&self) -> Result<()> {
        let mut writer = self.lease().await?;
        write_and_undo(&mut writer).await?;
        writer.give_back();
        Ok(())
    }
}

pub(super) async fn write_and_undo(writer: &mut PgConnection) -> Result<()> {
    let mut transaction = writer.begin().await?;
    let id = Uuid::now_v7();
    for statement in STATEMENTS {
        sqlx::query(statement).bind(id).execute(&mut *transaction).await?;
    }
    transaction.rollback().await?;
    Ok(())
}
