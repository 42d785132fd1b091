//! `/readyz` says whether samples can be stored, and why not.

use hyper::StatusCode;
use mien_servers::Postgres;
use mien_shared::Code;
use sqlx::{Connection, SqliteConnection};

use crate::support::Relay;

/// Waits until it says so; gives its reason.
async fn not_ready(relay: &Relay) -> String {
    loop {
        let answer = relay.get("/readyz", "").await;
        if answer.status != StatusCode::OK {
            return answer.is_problem(Code::StoreUnavailable).detail;
        }
        tokio::task::yield_now().await;
    }
}

async fn ready(relay: &Relay) {
    while relay.get("/readyz", "").await.status != StatusCode::OK {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_store_that_reads_well_and_takes_nothing_is_not_ready() {
    if Postgres::asked_for().is_some() {
        return;
    }
    let relay = Relay::start().await;
    let url = relay.state.config.database_url.clone();
    let mut database = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query("ALTER TABLE gaps RENAME TO elsewhere").execute(&mut database).await.unwrap();
    assert_eq!(not_ready(&relay).await, "the database failed; the log says why");
    sqlx::query("ALTER TABLE elsewhere RENAME TO gaps").execute(&mut database).await.unwrap();
    ready(&relay).await;

    let file = mien_relay::config::file_of(&url).unwrap();
    let aside = file.with_file_name("aside");
    std::fs::rename(&file, &aside).unwrap();
    let told = "the database's file was moved, replaced or deleted; the log names it";
    assert_eq!(not_ready(&relay).await, told);
    let refused = relay.post("/api/v1/sessions", &relay.user("alice"), "{}").await;
    refused.is_problem(Code::StoreUnavailable);
    std::fs::rename(&aside, &file).unwrap();
    ready(&relay).await;
}
