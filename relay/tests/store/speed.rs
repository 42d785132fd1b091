//! What reading and erasing cost in a large store. Run it by itself:
//! `cargo test --release -p mien-relay --test store -- --ignored --nocapture speed`

use std::time::{Duration, Instant};

use mien_relay::http::series;
use mien_relay::limits::ReadPermits;
use mien_relay::store::{Batch, Item, SampleQuery, Store, codec};
use mien_shared::api::SourceName;
use mien_shared::{Expression, Face, Sample, Scores, SessionId};
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::place::Place;

const SESSIONS: usize = 10;
/// Nine hours of thirty samples a second.
const ROWS: i64 = 1_000_000;
const HOUR_MS: u64 = 3_600_000;

fn faces() -> Vec<Face> {
    vec![Face {
        quality: Some(0.75),
        ..Face::new(
            1,
            [0.25, 0.125, 0.5, 0.5].into(),
            Expression::from_index(1),
            Scores([0.25, 0.5, 0.05, 0.05, 0.05, 0.05, 0.05]),
        )
    }]
}

/// Fills `SESSIONS` sessions behind the store's back: what counts is how they are read.
async fn fill(place: &Place, store: &Store) -> Vec<SessionId> {
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS {
        let id = store.create_session("alice", "", "").await.unwrap().id;
        store.open_source(id, &SourceName::default()).await.unwrap();
        sessions.push(id);
    }
    let update = format!(
        "UPDATE sources SET through = {ROWS}, stored = {ROWS}, first_at = 33, last_at = {}",
        ROWS * 100 / 3
    );
    if place.url.starts_with("sqlite") {
        let mut database = SqliteConnection::connect(&place.url).await.unwrap();
        let insert = format!(
            "WITH RECURSIVE n (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < {ROWS}) \
             INSERT INTO samples SELECT key, seq, seq * 100 / 3, ? FROM sources, n ORDER BY key, seq"
        );
        sqlx::query(sqlx::AssertSqlSafe(insert))
            .bind(codec::encode(&Sample::new(1, 1, faces())))
            .execute(&mut database)
            .await
            .unwrap();
        sqlx::query(sqlx::AssertSqlSafe(update)).execute(&mut database).await.unwrap();
    } else {
        let mut database = PgConnection::connect(&place.url).await.unwrap();
        // Else it begins while we measure.
        let parts: Vec<String> = sqlx::query_scalar(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'samples'::regclass",
        )
        .fetch_all(&mut database)
        .await
        .unwrap();
        for part in parts {
            let quiet = format!("ALTER TABLE {part} SET (autovacuum_enabled = off)");
            sqlx::raw_sql(sqlx::AssertSqlSafe(quiet)).execute(&mut database).await.unwrap();
        }
        let insert = format!(
            "INSERT INTO samples SELECT key, seq, seq * 100 / 3, $1 FROM sources, generate_series(1, {ROWS}) seq"
        );
        sqlx::query(sqlx::AssertSqlSafe(insert))
            .bind(codec::encode(&Sample::new(1, 1, faces())))
            .execute(&mut database)
            .await
            .unwrap();
        sqlx::query(sqlx::AssertSqlSafe(update)).execute(&mut database).await.unwrap();
        sqlx::raw_sql("VACUUM ANALYZE").execute(&mut database).await.unwrap();
        // What the filling left to be written is not what reading costs.
        sqlx::raw_sql("CHECKPOINT").execute(&mut database).await.unwrap();
    }
    sessions
}

/// One hour in the middle, by the second: as `GET …/series` reads it.
async fn series(store: &Store, id: SessionId) -> (Duration, u64, usize) {
    let begun = Instant::now();
    let (from, to) = (Some(4 * HOUR_MS), Some(5 * HOUR_MS));
    let query = SampleQuery { from, to, ..SampleQuery::default() };
    let points =
        series::read(store, id, &query, 1_000, usize::MAX, &ReadPermits::new(5)).await.unwrap().finish();
    let faces = points.iter().map(|point| point.faces).sum();
    (begun.elapsed(), faces, points.len())
}

async fn measure(name: &str, place: &Place) {
    let store = place.open().await;
    let begun = Instant::now();
    let sessions = fill(place, &store).await;
    println!("{name}: {} rows made in {:.0?}", SESSIONS as i64 * ROWS, begun.elapsed());
    for id in &sessions[3..6] {
        let (took, rows, points) = series(&store, *id).await;
        assert_eq!((rows, points), (108_000, 3_600));
        let again = series(&store, *id).await.0;
        println!("{name}: one hour, {rows} samples as {points} points: {took:.1?}, again {again:.1?}");
    }
    // Commits go on while a session of a million samples goes.
    let live = store.create_session("alice", "", "").await.unwrap().id;
    let (source, _) = store.open_source(live, &SourceName::default()).await.unwrap();
    assert!(store.delete_session(sessions[0]).await.unwrap());
    let begun = Instant::now();
    let sweep = tokio::spawn({
        let store = store.clone();
        async move { store.sweep(None).await }
    });
    let mut commits = Vec::new();
    for seq in 1.. {
        let items = vec![Item::Ok(Sample::new(seq, seq, faces()))];
        let asked = Instant::now();
        store.commit(&[Batch { source, items }]).await.unwrap();
        commits.push(asked.elapsed());
        if sweep.is_finished() {
            break;
        }
    }
    sweep.await.unwrap().unwrap();
    commits.sort_unstable();
    println!(
        "{name}: {ROWS} samples erased in {:.1?}; {} commits meanwhile, p50 {:.1?}, p99 {:.1?}, longest {:.1?}",
        begun.elapsed(),
        commits.len(),
        commits[commits.len() / 2],
        commits[commits.len() * 99 / 100],
        commits[commits.len() - 1]
    );
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "makes ten million rows"]
async fn sqlite() {
    measure("SQLite", &Place::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "makes ten million rows"]
async fn postgres() {
    if let Some(place) = Place::postgres() {
        measure("Postgres", &place).await;
    }
}
