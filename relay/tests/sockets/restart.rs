//! The real binary, killed in mid-stream: what was acked is there, and stored once.

use std::path::PathBuf;
use std::process::Command;

use mien_relay::auth::{Caller, Grant, TokenKey};
use mien_shared::api::SourceName;
use mien_shared::{Role, SessionId};
use serde_json::json;

use crate::process::{self, store};

use mien_in_process::client::Client;
use mien_in_process::{FUTURE, SECRET};
use mien_kit::relay::Relay;

/// Asked for now: in a copied checkout, what was compiled in is the one that was copied.
fn program() -> PathBuf {
    std::env::var_os("CARGO_BIN_EXE_mien-relay").unwrap().into()
}

#[tokio::test]
async fn a_killed_relay_loses_nothing_that_was_acked() {
    let folder = tempfile::tempdir().unwrap();
    let database = store(folder.path()).await;
    let session = database.create_session("local", "", "").await.unwrap().id;
    database.close().await;
    let grant = Grant { session, role: Role::Ingest, source: SourceName::default() };
    let token =
        TokenKey::new(SECRET.as_bytes()).sign(&Caller { user: "local".into(), grant: Some(grant) }, FUTURE);

    let mut acked = 0;
    for round in 1..=3 {
        let mut relay = process::start(folder.path(), &[]).await;
        let (mut client, through) = enter(&relay, session, &token).await;
        assert!(through >= acked, "nothing that was acked may be asked for again");
        // More is on the way than is acked when the end comes.
        let mut next = through + 1;
        while acked < round * 400 {
            if next < acked + 500 {
                client.send(next..next + 20).await;
                next += 20;
            }
            acked = client.hear_type("ack").await["through"].as_u64().unwrap();
        }
        client.send(next..next + 20).await;
        relay.kill().await;
    }

    let mut relay = process::start(folder.path(), &[]).await;
    let (mut client, through) = enter(&relay, session, &token).await;
    assert!(through >= acked);
    // A client that is not sure sends again.
    client.send(acked - 50..=through + 10).await;
    client.acked(through + 10).await;
    relay.kill().await;
    let database = store(folder.path()).await;
    let samples =
        database.samples_after(session, &SourceName::default(), 0, u64::MAX, u32::MAX).await.unwrap();
    let seqs: Vec<u64> = samples.iter().map(|sample| sample.seq).collect();
    assert_eq!(seqs, (1..=through + 10).collect::<Vec<_>>());
}

async fn enter(relay: &Relay, session: SessionId, token: &str) -> (Client, u64) {
    let mut client = Client::connect(relay.address(), session, "ingest").await;
    client.say(&json!({"type": "hello", "token": token})).await;
    let welcome = client.hear_type("welcome").await;
    (client, welcome["through"].as_u64().unwrap())
}

#[cfg(unix)]
#[tokio::test]
async fn a_signal_ends_it_in_order() {
    let folder = tempfile::tempdir().unwrap();
    process::end(process::start(folder.path(), &[]).await).await;
}

#[test]
fn what_it_cannot_honour_keeps_it_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let check = |variables: &[(&str, &str)], words: &str| {
        let output = Command::new(program())
            .current_dir(folder.path())
            .envs(variables.iter().copied())
            .arg("check")
            .output()
            .unwrap();
        assert!(!output.status.success());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains(words), "{text}");
    };
    check(&[("MIEN_REDIS_URL", "localhost:6379")], "write for example redis://127.0.0.1:6379");
    check(&[("MIEN_REDIS_URL", "redis://127.0.0.1:1")], "Redis does not answer");
    check(&[("MIEN_DATABASE_URL", "mysql://localhost/mien")], "write `sqlite:FILE` or `postgres://…`");
    check(&[("MIEN_DATABASE_URL", "postgres://localhost/mien")], "MIEN_TOKEN_SECRET is missing");
    check(&[("MIEN_OTLP_ENDPOINT", "localhost:4317")], "MIEN_OTLP_ENDPOINT is no http:// address");
    check(&[("MIEN_LISTEN", "0.0.0.0:0"), ("MIEN_AUTH", "open")], "set MIEN_AUTH=token");
    check(&[("MIEN_LISTEN", "0.0.0.0:0")], "MIEN_TOKEN_SECRET is missing");
    check(&[("MIEN_TOKEN_SECRET", "short")], "it needs at least 32");
    std::fs::write(folder.path().join("text.db"), "this is a text and no database at all, whatever its name")
        .unwrap();
    check(&[("MIEN_DATABASE_URL", "sqlite:text.db")], "it is no SQLite database");
}

#[test]
fn check_says_what_is_in_force_and_hides_the_secret() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(program())
        .current_dir(folder.path())
        .env("MIEN_TOKEN_SECRET", SECRET)
        .args(["check", "--samples-burst", "77"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(
        text.contains("the store answers") && text.contains("MIEN_SAMPLES_BURST            77"),
        "{text}"
    );
    assert!(!text.contains(SECRET));
}
