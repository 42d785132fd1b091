//! The floor of a store: the same rows, inserted as fast as one connection can, without any logic.

use std::path::Path;
use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, SqliteConnection};
use tokio::time::Instant;

use crate::message::{STORED_FACES_BYTES, at};

/// Rows per transaction: about as many as the relay's commits have under such a load.
const COMMIT_ROWS: u64 = 1_024;
/// Rows per SQLite statement, as in the relay.
const STATEMENT_ROWS: u64 = 256;
/// Consecutive rows of one source, as in one message.
const RUN: u64 = 64;
const SOURCES: u64 = 16;

/// A raw store.
#[derive(Debug)]
pub(crate) enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Raw {
    /// A new file in `folder`, as durable as the relay's.
    pub(crate) async fn sqlite(folder: &Path) -> anyhow::Result<Self> {
        let mut connection = SqliteConnectOptions::new()
            .filename(folder.join("raw.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .connect()
            .await?;
        connection
            .execute(
                "CREATE TABLE samples (source_key INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, \
                 faces BLOB NOT NULL, PRIMARY KEY (source_key, seq)) STRICT, WITHOUT ROWID",
            )
            .await?;
        Ok(Self::Sqlite(connection))
    }

    /// An empty database.
    pub(crate) async fn postgres(url: &str) -> anyhow::Result<Self> {
        let mut connection = PgConnection::connect(url).await?;
        connection
            .execute(
                "CREATE TABLE samples (source_key bigint NOT NULL, seq bigint NOT NULL, at bigint NOT NULL, \
                 faces bytea NOT NULL, PRIMARY KEY (source_key, seq))",
            )
            .await?;
        Ok(Self::Postgres(connection))
    }

    /// Inserts until this time; returns the number of rows and how long they took. `first` is the first row's number.
    pub(crate) async fn fill(&mut self, first: u64, until: Instant) -> anyhow::Result<(u64, Duration)> {
        let begun = Instant::now();
        let mut row = first;
        while Instant::now() < until {
            match self {
                Self::Sqlite(connection) => sqlite_commit(connection, row).await?,
                Self::Postgres(connection) => postgres_commit(connection, row).await?,
            }
            row += COMMIT_ROWS;
        }
        Ok((row - first, begun.elapsed()))
    }
}

/// Source and seq of a row: runs of each source in turn.
fn key(row: u64) -> (i64, i64) {
    let (run, place) = (row / RUN, row % RUN);
    ((run % SOURCES) as i64, (run / SOURCES * RUN + place + 1) as i64)
}

async fn sqlite_commit(connection: &mut SqliteConnection, first: u64) -> anyhow::Result<()> {
    let values = vec!["(?,?,?,?)"; STATEMENT_ROWS as usize].join(",");
    let statement = format!("INSERT INTO samples VALUES {values} ON CONFLICT DO NOTHING");
    let mut transaction = connection.begin().await?;
    for start in (first..first + COMMIT_ROWS).step_by(STATEMENT_ROWS as usize) {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(statement.clone()));
        for row in start..start + STATEMENT_ROWS {
            let (source, seq) = key(row);
            query = query.bind(source).bind(seq).bind(at(seq as u64) as i64).bind(faces(row));
        }
        query.execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn postgres_commit(connection: &mut PgConnection, first: u64) -> anyhow::Result<()> {
    let rows = first..first + COMMIT_ROWS;
    let (sources, seqs): (Vec<i64>, Vec<i64>) = rows.clone().map(key).unzip();
    let ats: Vec<i64> = seqs.iter().map(|&seq| at(seq as u64) as i64).collect();
    let faces: Vec<Vec<u8>> = rows.map(faces).collect();
    sqlx::query(
        "INSERT INTO samples SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[]) \
         ON CONFLICT DO NOTHING",
    )
    .bind(sources)
    .bind(seqs)
    .bind(ats)
    .bind(faces)
    .execute(connection)
    .await?;
    Ok(())
}

fn faces(row: u64) -> Vec<u8> {
    vec![row as u8; STORED_FACES_BYTES]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_rows_share_a_key() {
        let rows = RUN * SOURCES * 3;
        let keys: std::collections::HashSet<_> = (0..rows).map(key).collect();
        assert_eq!(keys.len() as u64, rows);
        assert_eq!((key(0), key(RUN)), ((0, 1), (1, 1)));
    }

    #[tokio::test]
    async fn what_is_counted_is_stored() {
        let folder = tempfile::tempdir().unwrap();
        let mut raw = Raw::sqlite(folder.path()).await.unwrap();
        let (rows, _) = raw.fill(0, Instant::now() + Duration::from_millis(1)).await.unwrap();
        let Raw::Sqlite(connection) = &mut raw else { panic!("not SQLite") };
        let stored: i64 =
            sqlx::query_scalar("SELECT count(*) FROM samples").fetch_one(connection).await.unwrap();
        assert_eq!(stored as u64, rows);
    }
}
