//! Sessions past their time are erased by the relay itself.

use std::time::{Duration, Instant};

use hyper::StatusCode;
use mien_relay::retention;
use mien_shared::api::SamplesPage;
use mien_shared::{Code, SessionId};
use sqlx::{Connection, SqliteConnection};

use crate::support::{Relay, sample};

const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn what_was_completed_long_ago_is_erased_and_nothing_else() {
    let relay = Relay::start_with(&["--auth=token", "--retention-days=30", "--requests-burst=10000"]).await;
    let alice = relay.user("alice");
    let (old, young, open) =
        (relay.create("alice").await, relay.create("alice").await, relay.create("alice").await);
    let ids = [old.session.id, young.session.id, open.session.id];
    for id in ids {
        relay.store(id, "main", &[sample(1, 1_000, &[])]).await;
    }
    for id in &ids[..2] {
        let completed = relay.patch(&path(*id), &alice, r#"{"status":"completed"}"#).await;
        assert_eq!(completed.status, StatusCode::OK);
    }
    // As if a month and a day had passed for the first and the last.
    let mut database = SqliteConnection::connect(&relay.state.config.database_url).await.unwrap();
    sqlx::query(
        "UPDATE sessions SET started_at = started_at - 2678400000, completed_at = completed_at - 2678400000 \
         WHERE id != ?",
    )
    .bind(young.session.id.0.as_bytes().as_slice())
    .execute(&mut database)
    .await
    .unwrap();

    let janitor = tokio::spawn(retention::run(relay.state.clone()));
    let begun = Instant::now();
    let gone = loop {
        let answer = relay.get(&path(old.session.id), &alice).await;
        if answer.status != StatusCode::OK || begun.elapsed() > PATIENCE {
            break answer;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    janitor.abort();
    gone.is_problem(Code::SessionNotFound);
    for id in [young.session.id, open.session.id] {
        let page: SamplesPage = relay.get(&format!("{}/samples", path(id)), &alice).await.json();
        assert_eq!(page.samples.len(), 1);
    }
}

fn path(id: SessionId) -> String {
    format!("/api/v1/sessions/{}", id.0)
}
