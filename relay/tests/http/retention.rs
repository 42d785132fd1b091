//! Sessions past their time are erased by the relay itself.

use hyper::StatusCode;
use mien_relay::lifecycle::retention;
use mien_shared::api::SamplesPage;
use mien_shared::{Code, SessionId};
use sqlx::{Connection, SqliteConnection};

use mien_in_process::samples::with_faces as sample;
use mien_in_process::{Relay, until};

/// A month and a day, milliseconds.
const LONG_AGO: i64 = 2_678_400_000;

#[tokio::test]
async fn what_was_completed_long_ago_is_erased_and_nothing_else() {
    let relay = Relay::start_with(&["--auth=token", "--retention-days=30", "--requests-burst=10000"]).await;
    let alice = relay.user("alice");
    let (old, young, open) =
        (relay.create("alice").await, relay.create("alice").await, relay.create("alice").await);
    let ids = [old.session.id, young.session.id, open.session.id];
    for id in ids {
        // By its source's clock this was in 1970.
        relay.store(id, "main", &[sample(1, 1_000, &[])]).await;
    }
    for id in &ids[..2] {
        let completed = relay.patch(&path(*id), &alice, r#"{"status":"completed"}"#).await;
        assert_eq!(completed.status, StatusCode::OK);
    }
    age(&relay, old.session.id, Age::Session).await;
    age(&relay, open.session.id, Age::Session).await;

    let janitor = tokio::spawn(retention::run(relay.state.clone()));
    is_erased(&relay, old.session.id).await;
    janitor.abort();
    for id in [young.session.id, open.session.id] {
        let page: SamplesPage = relay.get(&format!("{}/samples", path(id)), &alice).await.json();
        assert_eq!(page.samples.len(), 1);
    }
}

#[tokio::test]
async fn what_was_left_open_is_erased_after_its_last_sample_where_nobody_is_connected() {
    let relay = Relay::start_with(&["--auth=token", "--retention-days=30", "--requests-burst=10000"]).await;
    let alice = relay.user("alice");
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(relay.create("alice").await.session.id);
    }
    let [left, empty, connected, young, new] = ids[..] else { unreachable!() };
    // By its source's clock, which is wrong, far in the future.
    for id in [left, connected, young] {
        relay.store(id, "main", &[sample(1, 4_000_000_000_000, &[])]).await;
    }
    for id in [left, connected] {
        age(&relay, id, Age::Samples).await;
    }
    for id in [left, empty, connected, young] {
        age(&relay, id, Age::Session).await;
    }
    let someone = relay.state.hub.join(connected);

    let janitor = tokio::spawn(retention::run(relay.state.clone()));
    for id in [left, empty] {
        is_erased(&relay, id).await;
    }
    // All were looked at by now: the janitor goes by age, and `empty` came after `left`, `new` is as young as they come.
    for id in [connected, young, new] {
        assert_eq!(relay.get(&path(id), &alice).await.status, StatusCode::OK);
    }
    drop(someone);
    janitor.abort();
    let janitor = tokio::spawn(retention::run(relay.state.clone()));
    is_erased(&relay, connected).await;
    janitor.abort();
    for id in [young, new] {
        assert_eq!(relay.get(&path(id), &alice).await.status, StatusCode::OK);
    }
}

async fn is_erased(relay: &Relay, id: SessionId) {
    let user = relay.user("alice");
    until(async || relay.get(&path(id), &user).await.status != StatusCode::OK).await;
    relay.get(&path(id), &user).await.is_problem(Code::SessionNotFound);
}

enum Age {
    Session,
    Samples,
}

/// As if a month and a day had passed since.
async fn age(relay: &Relay, id: SessionId, what: Age) {
    let mut database = SqliteConnection::connect(&relay.state.config.database_url).await.unwrap();
    let sql = match what {
        Age::Session => {
            "UPDATE sessions SET started_at = started_at - ?1, completed_at = completed_at - ?1 WHERE id = ?2"
        }
        Age::Samples => "UPDATE sources SET stored_at = stored_at - ?1 WHERE session_id = ?2",
    };
    let aged = sqlx::query(sql).bind(LONG_AGO).bind(id.0.as_bytes().as_slice()).execute(&mut database).await;
    aged.unwrap();
}

fn path(id: SessionId) -> String {
    format!("/api/v1/sessions/{}", id.0)
}
