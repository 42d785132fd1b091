//! PgBouncer before Postgres: it serves as the contract has it, or is refused with one sentence.

use mien_relay::store::{Batch, Item, SampleQuery, Store, StoreError};
use mien_servers::missing::leave_out;
use mien_servers::{PgBouncer, Postgres};
use mien_shared::Sample;
use mien_shared::api::{PatchSession, SourceName};
use mien_shared::series::SeriesBuilder;

use crate::place::open;

/// From here on it follows prepared statements from one server connection to the next.
const WITH_STATEMENTS: (u32, u32) = (1, 21);

/// All that a relay asks of a store.
async fn use_all(url: &str) {
    // Several at once, as of a pool: each transaction gets the server connection that was free last.
    let opened = futures_util::future::join_all((0..4).map(|_| open(url))).await;
    let stores: Vec<Store> = opened.into_iter().map(Result::unwrap).collect();
    let id = stores[0].create_session("alice", "title", "").await.unwrap().id;
    let main = SourceName::default();
    let (source, _) = stores[1].open_source(id, &main).await.unwrap();
    for round in 0..40_u64 {
        let store = &stores[round as usize % stores.len()];
        let items =
            (1..=10).map(|n| Item::Ok(Sample::new(round * 10 + n, round * 10 + n, Vec::new()))).collect();
        let batch = [Batch { source, items }];
        let (committed, read, ready) =
            tokio::join!(store.commit(&batch), stores[0].throughs(id), stores[2].ready());
        committed.unwrap();
        read.unwrap();
        ready.unwrap();
    }
    let query = SampleQuery { limit: 1_000, ..SampleQuery::default() };
    assert_eq!(stores[3].samples(id, &query).await.unwrap().rows.len(), 400);
    assert_eq!(stores[0].source_states(id).await.unwrap()[0].stored, 400);
    let mut series = SeriesBuilder::new(100);
    for stretch in stores[2].stretches(id, &query).await.unwrap() {
        assert_eq!(stores[2].add_to_series(&stretch, &query, &mut series).await.unwrap(), 400);
    }
    stores[1].try_write().await.unwrap();
    stores[1].create_marker(id, 1, "label", None).await.unwrap();
    let patch = PatchSession { title: Some("new".into()), status: None };
    stores[2].update_session(id, &patch).await.unwrap().unwrap();
    assert!(stores[3].delete_session(id).await.unwrap());
    stores[0].sweep(Some(id)).await.unwrap();
    assert!(stores[0].session(id).await.unwrap().is_none());
    for store in stores {
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_keeps_sessions_serves() {
    let Some(server) = Postgres::shared() else { return };
    let settings = [("pool_mode", "session"), ("default_pool_size", "40")];
    let Some(bouncer) = PgBouncer::before(server, &settings) else { return };
    use_all(&bouncer.through(&server.database())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_keeps_prepared_statements_serves() {
    let Some(server) = Postgres::shared() else { return };
    if PgBouncer::version().is_some_and(|version| version < WITH_STATEMENTS) {
        return leave_out("it needs PgBouncer 1.21 or later");
    }
    for connections in ["1", "3"] {
        let settings = [
            ("pool_mode", "transaction"),
            ("default_pool_size", connections),
            ("max_prepared_statements", "200"),
        ];
        let Some(bouncer) = PgBouncer::before(server, &settings) else { return };
        let url = server.database();
        use_all(&bouncer.through(&url)).await;
        // Nobody else's connection was told how the relay wants its own.
        let leaked = server.sql(&bouncer.through(&url), "SHOW statement_timeout");
        assert_eq!(leaked, "0", "{connections}");
        // Nothing is left locked.
        let locks = server.sql(&url, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'");
        assert_eq!(locks, "0", "{connections}");

        let name = url.rsplit_once('/').unwrap().1.to_owned();
        server.sql(&url, &format!("ALTER ROLE mien IN DATABASE {name} SET synchronous_commit = off"));
        drop(bouncer);
        let bouncer = PgBouncer::before(server, &settings).unwrap();
        match open(&bouncer.through(&url)).await {
            Err(StoreError::Unusable(why)) => assert!(why.contains("synchronous_commit"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_keeps_nothing_is_refused_with_one_sentence() {
    let Some(server) = Postgres::shared() else { return };
    let old = PgBouncer::version().is_some_and(|version| version < WITH_STATEMENTS);
    for connections in ["1", "3"] {
        let mut settings = vec![("pool_mode", "transaction"), ("default_pool_size", connections)];
        if !old {
            settings.push(("max_prepared_statements", "0"));
        }
        let Some(bouncer) = PgBouncer::before(server, &settings) else { return };
        match open(&bouncer.through(&server.database())).await {
            Err(StoreError::Unusable(why)) => {
                assert!(
                    why.contains("max_prepared_statements") && why.contains("pool_mode = session"),
                    "{why}"
                );
            }
            other => panic!("{connections}: {other:?}"),
        }
    }
}
