//! What is SQLite's alone.

use sqlx::{Connection, SqliteConnection};

use crate::place::{Place, open};

#[tokio::test]
async fn a_foreign_or_newer_database_is_refused_with_a_reason() {
    let check = async |sql: &'static str, words: &str| {
        let place = Place::sqlite();
        place.open().await.close().await;
        let mut database = SqliteConnection::connect(&place.url).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut database).await.unwrap();
        database.close().await.unwrap();
        let refused = open(&place.url).await.unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
    };
    check("PRAGMA application_id = 7", "belongs to another program").await;
    check("PRAGMA application_id = 0", "belongs to another program").await;
    check(
        "INSERT INTO _sqlx_migrations SELECT version + 1000, description, installed_on, success, checksum, execution_time FROM _sqlx_migrations",
        "a newer mien-relay wrote it",
    )
    .await;
    check("UPDATE _sqlx_migrations SET checksum = x'00'", "not the one that this mien-relay knows").await;
}
