//! The real binary, killed in mid-stream: what was acked is there, and stored once.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use mien_relay::auth::{Caller, Grant, TokenKey};
use mien_relay::observe::metrics::Metrics;
use mien_relay::store::Store;
use mien_shared::api::SourceName;
use mien_shared::{Role, SessionId};
use serde_json::json;

use crate::harness::{Client, FUTURE, SECRET};

pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    log: PathBuf,
}

/// Asked for now: in a copied checkout, what was compiled in is the one that was copied.
fn program() -> PathBuf {
    std::env::var_os("CARGO_BIN_EXE_mien-relay").unwrap().into()
}

impl Process {
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    pub(crate) fn start_with(folder: &Path, settings: &[(&str, String)]) -> Self {
        let log = folder.join("relay.log");
        let mut child = Command::new(program())
            .current_dir(folder)
            .env("MIEN_LISTEN", "127.0.0.1:0")
            .env("MIEN_TOKEN_SECRET", SECRET)
            .env("MIEN_LOG", "warn")
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stderr(OpenOptions::new().create(true).append(true).open(&log).unwrap())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit_once("http://").unwrap().1.parse().unwrap();
        Self { child, address, log }
    }

    /// What it has logged so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// SIGTERM, which it must obey in order. Gives all that it has logged.
    pub(crate) fn end(mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        self.said()
    }

    pub(crate) fn kill(self) {
        drop(self);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.said());
        }
    }
}

pub(crate) async fn store(folder: &Path) -> Store {
    let url = format!("sqlite:{}", folder.join("mien.db").display());
    Store::open(&url, 2, &Metrics::new()).await.unwrap()
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
        let relay = Process::start(folder.path());
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
        relay.kill();
    }

    let relay = Process::start(folder.path());
    let (mut client, through) = enter(&relay, session, &token).await;
    assert!(through >= acked);
    // A client that is not sure sends again.
    client.send(acked - 50..=through + 10).await;
    client.acked(through + 10).await;
    relay.kill();
    let database = store(folder.path()).await;
    let samples =
        database.samples_after(session, &SourceName::default(), 0, u64::MAX, u32::MAX).await.unwrap();
    let seqs: Vec<u64> = samples.iter().map(|sample| sample.seq).collect();
    assert_eq!(seqs, (1..=through + 10).collect::<Vec<_>>());
}

async fn enter(relay: &Process, session: SessionId, token: &str) -> (Client, u64) {
    let mut client = Client::connect(relay.address, session, "ingest").await;
    client.say(&json!({"type": "hello", "token": token})).await;
    let welcome = client.hear_type("welcome").await;
    (client, welcome["through"].as_u64().unwrap())
}

#[cfg(unix)]
#[tokio::test]
async fn a_signal_ends_it_in_order() {
    let folder = tempfile::tempdir().unwrap();
    Process::start(folder.path()).end();
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
