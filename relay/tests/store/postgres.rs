//! What is Postgres' alone: what the relay refuses to open, and a server that goes away or stands still.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use mien_relay::store::{Batch, Item, SampleQuery, Store, StoreError};
use mien_servers::Postgres;
use mien_shared::api::SourceName;
use mien_shared::{Sample, SessionId};
use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::place::open;

async fn refusal(url: &str) -> String {
    match open(url).await {
        Err(StoreError::Unusable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_cannot_be_reached_is_refused_with_a_reason() {
    let Some(server) = Postgres::shared() else { return };
    let port = server.port();
    for (url, words) in [
        ("postgres://mien@127.0.0.1:x/mien".to_owned(), "write postgres://USER"),
        ("postgres://mien@127.0.0.1:1/mien".to_owned(), "127.0.0.1:1 cannot be reached"),
        (server.url("nowhere"), "has no database nowhere; make it with `createdb nowhere`"),
        (format!("postgres://eve@127.0.0.1:{port}/postgres"), "does not let eve in"),
        (format!("{}?sslmode=require", server.url("postgres")), "sslmode"),
    ] {
        let why = refusal(&url).await;
        assert!(why.contains(words), "{why}");
    }
}

/// As the first release that could use Postgres left it.
#[tokio::test]
async fn an_older_database_is_brought_up_to_date_with_all_that_is_in_it() {
    let Some(server) = Postgres::shared() else { return };
    let first = tempfile::tempdir().unwrap();
    let name = "0001_sessions_and_samples.sql";
    let migrations =
        Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("src/store/migrations/postgres");
    std::fs::copy(migrations.join(name), first.path().join(name)).unwrap();
    let mut migrator = Migrator::new(first.path()).await.unwrap();
    migrator.dangerous_set_table_name("mien_migrations");
    let url = server.database();
    let mut database = PgConnection::connect(&url).await.unwrap();
    migrator.run(&mut database).await.unwrap();
    let id = SessionId(Uuid::now_v7());
    sqlx::query("INSERT INTO sessions VALUES ($1, 'alice', 'old', '', 'active', 1, NULL)")
        .bind(id.0)
        .execute(&mut database)
        .await
        .unwrap();
    sqlx::query("INSERT INTO sources (session_id, name, through, stored) VALUES ($1, 'main', 9, 3)")
        .bind(id.0)
        .execute(&mut database)
        .await
        .unwrap();
    sqlx::query("INSERT INTO gaps SELECT key, gap, gap + 1 FROM sources, unnest('{4,7}'::bigint[]) gap")
        .execute(&mut database)
        .await
        .unwrap();
    sqlx::query("INSERT INTO samples SELECT key, seq, seq * 10, $1 FROM sources, generate_series(1, 3) seq")
        .bind(&[1_u8][..])
        .execute(&mut database)
        .await
        .unwrap();
    database.close().await.unwrap();

    assert!(Store::awaits_migration(&url).await.unwrap());
    assert!(Store::awaits_migration(&url).await.unwrap(), "asking changed it");
    let store = open(&url).await.unwrap();
    assert!(!Store::awaits_migration(&url).await.unwrap());
    let query = SampleQuery { limit: 10, ..SampleQuery::default() };
    let page = store.samples(id, &query).await.unwrap();
    let read: Vec<_> = page.rows.iter().map(|row| (row.sample.seq, row.sample.at)).collect();
    assert_eq!(read, [(1, 10), (2, 20), (3, 30)]);
    let state = store.source_states(id).await.unwrap().remove(0);
    assert_eq!((state.gaps, state.gaps_total, state.gaps_merged), (vec![[4, 5], [7, 8]], 2, false));
    store.close().await;
}

#[tokio::test]
async fn a_foreign_or_newer_database_is_refused_with_a_reason() {
    let Some(server) = Postgres::shared() else { return };
    let foreign = server.database();
    server.sql(&foreign, "CREATE TABLE things (id int)");
    let why = refusal(&foreign).await;
    assert!(why.contains("belongs to another program"), "{why}");

    let url = server.database();
    open(&url).await.unwrap().close().await;
    let migrations = "INSERT INTO mien_migrations SELECT version + 1000, description, installed_on, success, \
                      checksum, execution_time FROM mien_migrations";
    for (sql, undo, words) in [
        (migrations, "DELETE FROM mien_migrations WHERE version > 1000", "a newer mien-relay wrote it"),
        (
            "UPDATE mien_migrations SET success = false",
            "UPDATE mien_migrations SET success = true",
            "was cut short; restore a backup",
        ),
        (
            "ALTER ROLE mien SET default_transaction_read_only = on",
            "BEGIN READ WRITE; ALTER ROLE mien RESET default_transaction_read_only; COMMIT",
            "point MIEN_DATABASE_URL at the primary server",
        ),
        ("UPDATE mien_migrations SET checksum = 'x'", "", "not the one that this mien-relay knows"),
    ] {
        // What is set for the role would reach the other tests' databases.
        let name = url.rsplit_once('/').unwrap().1;
        let local =
            |sql: &str| sql.replace("ALTER ROLE mien", &format!("ALTER ROLE mien IN DATABASE {name}"));
        server.sql(&url, &local(sql));
        let why = refusal(&url).await;
        assert!(why.contains(words), "{why}");
        if !undo.is_empty() {
            server.sql(&url, &local(undo));
        }
    }

    let latin = server.url("latin");
    let make = "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'";
    server.sql(&server.url("postgres"), make);
    let why = refusal(&latin).await;
    assert!(why.contains("its encoding is LATIN1"), "{why}");

    let strict = server.database();
    server.sql(&strict, "CREATE ROLE bob LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    let why = refusal(&strict.replace("mien@", "bob@")).await;
    assert!(why.contains("bob may not make tables in it"), "{why}");
}

/// As a dump that was restored without its grants: all can be read, and new tables made.
#[tokio::test]
async fn a_database_that_takes_no_writes_is_told() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    open(&url).await.unwrap().close().await;
    server.sql(&url, "CREATE ROLE carol LOGIN");
    server.sql(
        &url,
        "GRANT ALL ON SCHEMA public TO carol; GRANT SELECT ON ALL TABLES IN SCHEMA public TO carol",
    );
    let as_carol = url.replace("mien@", "carol@");
    let why = refusal(&as_carol).await;
    assert!(why.contains("carol may not write to it") && why.contains("GRANT"), "{why}");

    server.sql(&url, "GRANT ALL ON ALL TABLES IN SCHEMA public TO carol");
    let store = open(&as_carol).await.unwrap();
    store.try_write().await.unwrap();
    for table in ["sessions", "sources", "samples", "gaps", "markers", "erased_sessions"] {
        server.sql(&url, &format!("REVOKE INSERT ON {table} FROM carol"));
        store.ready().await.unwrap();
        let taken = store.try_write().await;
        assert!(matches!(taken, Err(StoreError::ReadOnly(_))), "{table}: {taken:?}");
        assert!(taken.unwrap_err().to_string().contains(table));
        server.sql(&url, &format!("GRANT INSERT ON {table} TO carol"));
    }
    store.try_write().await.unwrap();
    let name = url.rsplit_once('/').unwrap().1;
    server.sql(&url, &format!("ALTER ROLE carol IN DATABASE {name} SET default_transaction_read_only = on"));
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'carol'";
    server.sql(&url, end);
    // Connections that were ended are found out by whoever gets them, one after the other.
    let taken = loop {
        match store.try_write().await {
            Err(StoreError::Unreachable(_)) => {}
            taken => break taken,
        }
    };
    assert!(matches!(taken, Err(StoreError::ReadOnly(_))), "{taken:?}");
    store.ready().await.unwrap();
    let left = server.sql(&url, "SELECT count(*) FROM sessions");
    assert_eq!(left, "0", "what was tried was undone");
    store.close().await;
}

#[tokio::test]
async fn a_wrong_password_is_refused_with_a_reason() {
    let Some(server) = Postgres::if_present() else { return };
    let url = server.database();
    server.sql(&url, "ALTER ROLE mien PASSWORD 'right'");
    std::fs::write(server.data().join("pg_hba.conf"), "host all all 127.0.0.1/32 scram-sha-256\n").unwrap();
    server.sql(&url, "SELECT pg_reload_conf()");
    let with = |password: &str| url.replace("mien@", &format!("mien:{password}@"));
    // The server reads its rules anew in its own time.
    let why = loop {
        match open(&with("wrong")).await {
            Ok(store) => store.close().await,
            Err(cause) => break cause.to_string(),
        }
    };
    assert!(why.contains("correct user and password") && !why.contains("wrong"), "{why}");
    open(&with("right")).await.unwrap();

    let check = |url: &str| {
        let output = Command::new(std::env::var_os("CARGO_BIN_EXE_mien-relay").unwrap())
            .env("MIEN_TOKEN_SECRET", "0123456789abcdef0123456789abcdef")
            .args(["check", "--database-url", url])
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    };
    let (fine, text) = check(&with("right"));
    assert!(fine && text.contains("the store answers") && !text.contains("right"), "{text}");
    let (fine, text) = check(&with("wrong"));
    assert!(!fine && text.contains("correct user and password") && !text.contains("wrong"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_relays_may_start_at_once() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database();
    let mut relays = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let url = url.clone();
        relays.spawn(async move { open(&url).await.unwrap() });
    }
    for store in relays.join_all().await {
        store.ready().await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_stands_still_or_goes_holds_nobody_and_is_found_again() {
    let Some(mut server) = Postgres::if_present() else { return };
    let store = open(&server.database()).await.unwrap();
    let id = store.create_session("alice", "", "").await.unwrap().id;
    let (source, _) = store.open_source(id, &SourceName::default()).await.unwrap();
    let batch = |seq| [Batch { source, items: vec![Item::Ok(Sample::new(seq, seq, Vec::new()))] }];
    store.commit(&batch(1)).await.unwrap();

    server.freeze();
    let asked = Instant::now();
    assert!(matches!(store.ready().await, Err(StoreError::TimedOut)));
    assert!(matches!(store.session(id).await, Err(StoreError::TimedOut)));
    assert!(asked.elapsed().as_secs() < 15);
    server.thaw();
    store.commit(&batch(2)).await.unwrap();

    server.kill();
    assert!(matches!(store.commit(&batch(3)).await, Err(StoreError::Unreachable(_) | StoreError::TimedOut)));
    assert!(store.ready().await.is_err());
    server.start_again();
    while store.commit(&batch(3)).await.is_err() {}
    store.ready().await.unwrap();
    assert_eq!(store.throughs(id).await.unwrap(), [(SourceName::default(), 3)]);
    store.close().await;
}
