//! What is SQLite's alone.

use std::path::Path;

use mien_relay::store::{SampleQuery, Store};
use mien_shared::SessionId;
use mien_shared::api::SourceName;
use sqlx::migrate::Migrator;
use sqlx::{Connection, SqliteConnection};
use uuid::Uuid;

use crate::place::{Place, open};

/// As the first release with a database left it: a source whose clock went back once.
#[tokio::test]
async fn an_older_database_is_brought_up_to_date_with_all_that_is_in_it() {
    let place = Place::sqlite();
    let first = tempfile::tempdir().unwrap();
    let name = "0001_sessions_and_samples.sql";
    let migrations =
        Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("src/store/migrations/sqlite");
    std::fs::copy(migrations.join(name), first.path().join(name)).unwrap();
    let mut database = SqliteConnection::connect(&format!("{}?mode=rwc", place.url)).await.unwrap();
    Migrator::new(first.path()).await.unwrap().run(&mut database).await.unwrap();
    let id = SessionId(Uuid::now_v7());
    sqlx::raw_sql("PRAGMA application_id = 0x4D49454E; PRAGMA journal_mode = WAL")
        .execute(&mut database)
        .await
        .unwrap();
    sqlx::query("INSERT INTO sessions VALUES (?, 'alice', 'old', '', 'active', 1, NULL)")
        .bind(id.0.as_bytes().as_slice())
        .execute(&mut database)
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO sources (key, session_id, name, through, stored, first_at, last_at, ordered) \
         VALUES (1, ?, 'main', 9, 3, 100, 300, 0)",
    )
    .bind(id.0.as_bytes().as_slice())
    .execute(&mut database)
    .await
    .unwrap();
    sqlx::query("INSERT INTO gaps VALUES (1, 4, 5), (1, 7, 8)").execute(&mut database).await.unwrap();
    for (seq, at) in [(1_i64, 200_i64), (2, 100), (3, 300)] {
        sqlx::query("INSERT INTO samples VALUES (1, ?, ?, ?)")
            .bind(seq)
            .bind(at)
            .bind(&[1_u8][..])
            .execute(&mut database)
            .await
            .unwrap();
    }
    database.close().await.unwrap();

    assert!(Store::awaits_migration(&place.url).await.unwrap());
    assert!(Store::awaits_migration(&place.url).await.unwrap(), "asking changed it");
    let store = place.open().await;
    assert!(!Store::awaits_migration(&place.url).await.unwrap());
    assert_eq!(store.session(id).await.unwrap().unwrap().title, "old");
    let (_, through) = store.open_source(id, &SourceName::default()).await.unwrap();
    assert_eq!(through, 9);
    let state = store.source_states(id).await.unwrap().remove(0);
    assert_eq!((state.gaps, state.gaps_total, state.gaps_merged), (vec![[4, 5], [7, 8]], 2, false));
    let query = SampleQuery { source: None, from: Some(150), to: None, after: None, limit: 10 };
    let page = store.samples(id, &query).await.unwrap();
    assert_eq!(page.rows.iter().map(|row| row.sample.seq).collect::<Vec<_>>(), [1, 3]);
    store.close().await;
}

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
