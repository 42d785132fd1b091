//! Starts relays.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use clap::Parser;
use mien_kit::database::Database;
use mien_kit::relay::SECRET;
use mien_relay::app::AppState;
use mien_relay::auth::{Caller, Grant};
use mien_relay::config::{Config, Settings};
use mien_relay::observe::metrics::Metrics;
use mien_relay::serve;
use mien_relay::store::{Batch, Outcome, Store};
use mien_shared::api::{PatchSession, SourceName};
use mien_shared::{Role, Sample, SessionId, SessionStatus};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::wait::patiently;

/// The expiry of a token: far in the future.
pub const FUTURE: u64 = 4_000_000_000;
const CONNECTIONS: u32 = 5;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    settings: Settings,
}

/// Runs until the test's runtime ends.
#[allow(missing_debug_implementations, reason = "the relay's state has no text")]
pub struct Relay {
    pub address: SocketAddr,
    /// Address of its metrics listener, if it has one.
    pub metrics: Option<SocketAddr>,
    pub state: AppState,
    database: Database,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Relay {
    /// Open to this machine, as without any settings.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Requires tokens, and has generous request limits.
    pub async fn guarded() -> Self {
        Self::start_with(&["--auth=token", "--requests-burst=10000"]).await
    }

    pub async fn start_with(flags: &[&str]) -> Self {
        Self::start_changed(flags, |_| {}).await
    }

    /// With settings that no flag sets.
    pub async fn start_changed(flags: &[&str], change: impl FnOnce(&mut Config)) -> Self {
        Self::start_on(Database::asked_for(), flags, change).await
    }

    async fn start_on(database: Database, flags: &[&str], change: impl FnOnce(&mut Config)) -> Self {
        let base =
            ["relay", "--listen=127.0.0.1:0", "--database-url", database.url(), "--token-secret", SECRET];
        let line = CommandLine::parse_from(base.iter().chain(flags));
        let mut config = Config::resolve(line.settings).unwrap();
        // Tests look for what was counted a moment ago.
        config.timeouts.metrics = Duration::ZERO;
        change(&mut config);
        let metrics = Metrics::new();
        let store =
            Store::open(&config.database_url, CONNECTIONS, metrics.pool_wait_seconds.clone()).await.unwrap();
        let relay = Self::serve(database, config, store, metrics).await;
        relay.read_document().await;
        relay
    }

    /// Another relay over the same store.
    pub async fn beside(&self, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = self.state.config.clone();
        change(&mut config);
        let metrics = Metrics::new();
        let store = match &self.state.store {
            Store::Postgres(_) => {
                Store::open(&config.database_url, CONNECTIONS, metrics.pool_wait_seconds.clone())
                    .await
                    .unwrap()
            }
            // A file may only be opened by one process.
            Store::Sqlite(_) => self.state.store.clone(),
        };
        Self::serve(Database::at(self.database.url()), config, store, metrics).await
    }

    async fn serve(database: Database, config: Config, store: Store, metrics: Metrics) -> Self {
        let listener = TcpListener::bind(config.listen).await.unwrap();
        let address = listener.local_addr().unwrap();
        let wanted = config.metrics_listen;
        let state = AppState::new(config, store, metrics);
        let mut metrics = None;
        let task = match wanted {
            Some(wanted) => {
                let for_metrics = TcpListener::bind(wanted).await.unwrap();
                metrics = for_metrics.local_addr().ok();
                tokio::spawn(serve::serve_with_metrics(listener, for_metrics, state.clone()))
            }
            None => tokio::spawn(serve::serve(listener, state.clone())),
        };
        Self { address, metrics, state, database, task }
    }

    /// Ends as on a signal, and returns the database.
    pub async fn stop(self) -> Database {
        self.state.drain.begin();
        patiently(self.task).await.unwrap().unwrap();
        self.database
    }

    pub async fn restart(self) -> Self {
        Self::start_on(self.stop().await, &[], |_| {}).await
    }

    pub(crate) fn database_url(&self) -> &str {
        self.database.url()
    }

    /// A user's token.
    pub fn user(&self, user: &str) -> String {
        self.state.tokens.sign(&Caller { user: user.to_owned(), grant: None }, FUTURE)
    }

    /// A capability token.
    pub fn token(&self, session: SessionId, role: Role) -> String {
        self.source_token(session, role, "main")
    }

    pub fn source_token(&self, session: SessionId, role: Role, source: &str) -> String {
        let grant = Grant { session, role, source: source.parse().unwrap() };
        self.state.tokens.sign(&Caller { user: "alice".to_owned(), grant: Some(grant) }, FUTURE)
    }

    pub async fn session(&self) -> SessionId {
        self.state.store.create_session("alice", "", "").await.unwrap().id
    }

    pub async fn complete(&self, session: SessionId) {
        let patch = PatchSession { title: None, status: Some(SessionStatus::Completed) };
        self.state.update_session(session, &patch).await.unwrap();
    }

    /// Commits samples as the batcher does.
    pub async fn store(&self, session: SessionId, source: &str, samples: &[Sample]) {
        let (key, _) = self.state.store.open_source(session, &source.parse().unwrap()).await.unwrap();
        for part in samples.chunks(500) {
            let batch = Batch { source: key, items: part.iter().cloned().map(Ok).collect() };
            let outcomes = self.state.store.commit(&[batch]).await.unwrap();
            assert!(matches!(outcomes[..], [Outcome::Taken(_)]));
        }
    }

    /// Samples of `main` that this relay knows nothing about, as if another relay had committed them.
    pub async fn commit_unheard(&self, session: SessionId, seqs: RangeInclusive<u64>) {
        let samples: Vec<Sample> = seqs.map(|seq| Sample::new(seq, seq, Vec::new())).collect();
        self.store(session, "main", &samples).await;
    }

    /// What the store holds of `main`, by seq.
    pub async fn stored(&self, session: SessionId) -> Vec<u64> {
        let main = SourceName::default();
        let samples = self.state.store.samples_after(session, &main, 0, u64::MAX, 1_000_000).await.unwrap();
        samples.iter().map(|sample| sample.seq).collect()
    }

    /// A connection before its hello.
    pub async fn connect(&self, session: SessionId, kind: &str) -> Client {
        Client::connect(self.address, session, kind).await
    }

    /// A source that has been welcomed, and its welcome.
    pub async fn ingest(&self, session: SessionId) -> (Client, Value) {
        self.ingest_as(session, "main").await
    }

    pub async fn ingest_as(&self, session: SessionId, source: &str) -> (Client, Value) {
        let mut client = self.connect(session, "ingest").await;
        let token = self.source_token(session, Role::Ingest, source);
        client.say(&json!({"type": "hello", "token": token})).await;
        let welcome = client.hear_type("welcome").await;
        (client, welcome)
    }

    /// A watcher that has been welcomed, and its welcome. `since` of null means live.
    pub async fn watch(&self, session: SessionId, since: Value) -> (Client, Value) {
        let mut client = self.connect(session, "watch").await;
        let token = self.token(session, Role::Watch);
        client.say(&json!({"type": "hello", "token": token, "since": since})).await;
        let welcome = client.hear_type("welcome").await;
        (client, welcome)
    }
}
