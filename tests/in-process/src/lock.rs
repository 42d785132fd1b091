//! Another program's connection to a relay's database, and what it can block.

use mien_relay::store::Store;
use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::relay::Relay;

#[derive(Debug)]
pub enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Connection {
    async fn execute(&mut self, sql: &'static str) {
        match self {
            Self::Sqlite(database) => drop(sqlx::raw_sql(sql).execute(database).await.unwrap()),
            Self::Postgres(database) => drop(sqlx::raw_sql(sql).execute(database).await.unwrap()),
        }
    }

    pub async fn count(&mut self, table: &str) -> i64 {
        let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        match self {
            Self::Sqlite(database) => sqlx::query_scalar(count).fetch_one(database).await.unwrap(),
            Self::Postgres(database) => sqlx::query_scalar(count).fetch_one(database).await.unwrap(),
        }
    }

    /// Releases what [`Relay::block_commits`] holds.
    pub async fn unblock(mut self) {
        self.execute("ROLLBACK").await;
    }
}

impl Relay {
    /// Another program's connection to the same database.
    pub async fn database(&self) -> Connection {
        let url = self.database_url();
        match self.state.store {
            Store::Sqlite(_) => Connection::Sqlite(SqliteConnection::connect(url).await.unwrap()),
            Store::Postgres(_) => Connection::Postgres(PgConnection::connect(url).await.unwrap()),
        }
    }

    /// Holds a lock, so that nothing commits until it is released.
    pub async fn block_commits(&self) -> Connection {
        let mut database = self.database().await;
        let sql = match database {
            Connection::Sqlite(_) => "BEGIN IMMEDIATE",
            Connection::Postgres(_) => "BEGIN; LOCK TABLE sources IN EXCLUSIVE MODE",
        };
        database.execute(sql).await;
        database
    }
}
