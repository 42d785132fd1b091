//! A relay in this process, and clients that speak to it, which hold each message to the contract.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use mien_relay::app::AppState;
use mien_relay::auth::{Caller, Grant};
use mien_relay::config::{Config, Settings};
use mien_relay::observe::metrics::Metrics;
use mien_relay::serve;
use mien_relay::store::{Batch, Store};
use mien_servers::Postgres;
use mien_shared::api::SourceName;
use mien_shared::{Role, Sample, SessionId};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Request, Response, header};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::contract::Document;

/// A hang fails the test instead of the whole run; nothing is measured against it.
const PATIENCE: Duration = Duration::from_mins(1);
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// The end of a token's life: far.
pub(crate) const FUTURE: u64 = 4_000_000_000;

/// A database of one's own.
pub(crate) struct Place {
    url: String,
    _folder: Option<TempDir>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match Postgres::asked_for() {
            Some(server) => server.database(),
            None => format!("sqlite:{}", folder.path().join("mien.db").display()),
        };
        Self { url, _folder: Some(folder) }
    }
}

/// Another program's connection to a relay's database.
pub(crate) enum Database {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Database {
    async fn execute(&mut self, sql: &'static str) {
        match self {
            Self::Sqlite(database) => drop(sqlx::raw_sql(sql).execute(database).await.unwrap()),
            Self::Postgres(database) => drop(sqlx::raw_sql(sql).execute(database).await.unwrap()),
        }
    }

    pub(crate) async fn count(&mut self, table: &str) -> i64 {
        let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        match self {
            Self::Sqlite(database) => sqlx::query_scalar(count).fetch_one(database).await.unwrap(),
            Self::Postgres(database) => sqlx::query_scalar(count).fetch_one(database).await.unwrap(),
        }
    }
}

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    settings: Settings,
}

pub(crate) struct Relay {
    pub(crate) state: AppState,
    pub(crate) address: SocketAddr,
    place: Place,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Relay {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[], |_| {}).await
    }

    pub(crate) async fn start_with(flags: &[&str], change: impl FnOnce(&mut Config)) -> Self {
        Self::start_in(Place::new(), flags, change).await
    }

    async fn start_in(place: Place, flags: &[&str], change: impl FnOnce(&mut Config)) -> Self {
        let url = &place.url;
        let base = ["relay", "--listen", "127.0.0.1:0", "--database-url", url, "--token-secret", SECRET];
        let args = Args::parse_from(base.iter().chain(flags));
        let mut config = Config::resolve(args.settings).unwrap();
        change(&mut config);
        let metrics = Metrics::new();
        let store = Store::open(&config.database_url, 5, &metrics).await.unwrap();
        Self::serve(place, config, store, metrics).await
    }

    /// One more relay over the same store.
    pub(crate) async fn beside(&self, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = self.state.config.clone();
        change(&mut config);
        let metrics = Metrics::new();
        let store = match &self.state.store {
            Store::Postgres(_) => Store::open(&config.database_url, 5, &metrics).await.unwrap(),
            // One process to a file.
            Store::Sqlite(_) => self.state.store.clone(),
        };
        let place = Place { url: self.place.url.clone(), _folder: None };
        Self::serve(place, config, store, metrics).await
    }

    async fn serve(place: Place, config: Config, store: Store, metrics: Metrics) -> Self {
        let listener = TcpListener::bind(config.listen).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = AppState::new(config, store, metrics);
        let task = tokio::spawn(serve::serve(listener, state.clone()));
        Self { state, address, place, task }
    }

    /// Ends as a signal would end it, and gives the database back.
    pub(crate) async fn stop(self) -> Place {
        self.state.drain.begin();
        patiently(self.task).await.unwrap().unwrap();
        self.place
    }

    pub(crate) async fn restart(self) -> Self {
        Self::start_in(self.stop().await, &[], |_| {}).await
    }

    pub(crate) async fn session(&self) -> SessionId {
        self.state.store.create_session("alice", "", "").await.unwrap().id
    }

    pub(crate) fn token(&self, session: SessionId, role: Role) -> String {
        self.source_token(session, role, "main")
    }

    pub(crate) fn source_token(&self, session: SessionId, role: Role, source: &str) -> String {
        let grant = Grant { session, role, source: source.parse().unwrap() };
        self.state.tokens.sign(&Caller { user: "alice".into(), grant: Some(grant) }, FUTURE)
    }

    /// A connection before its hello.
    pub(crate) async fn connect(&self, session: SessionId, kind: &str) -> Client {
        Client::connect(self.address, session, kind).await
    }

    /// A source that has been welcomed, and its welcome.
    pub(crate) async fn ingest(&self, session: SessionId) -> (Client, Value) {
        self.ingest_as(session, "main").await
    }

    pub(crate) async fn ingest_as(&self, session: SessionId, source: &str) -> (Client, Value) {
        let mut client = self.connect(session, "ingest").await;
        client
            .say(&json!({"type": "hello", "token": self.source_token(session, Role::Ingest, source)}))
            .await;
        let welcome = client.hear_type("welcome").await;
        (client, welcome)
    }

    /// A watcher that has been welcomed, and its welcome. `since` null means live.
    pub(crate) async fn watch(&self, session: SessionId, since: Value) -> (Client, Value) {
        let mut client = self.connect(session, "watch").await;
        let token = self.token(session, Role::Watch);
        client.say(&json!({"type": "hello", "token": token, "since": since})).await;
        let welcome = client.hear_type("welcome").await;
        (client, welcome)
    }

    /// What the store holds of `main`, by seq.
    pub(crate) async fn stored(&self, session: SessionId) -> Vec<u64> {
        let main = SourceName::default();
        let samples = self.state.store.samples_after(session, &main, 0, u64::MAX, 1_000_000).await.unwrap();
        samples.iter().map(|sample| sample.seq).collect()
    }

    /// Samples of `main` that were stored, of which this relay knows nothing, as those that another committed.
    pub(crate) async fn commit_unheard(&self, session: SessionId, seqs: RangeInclusive<u64>) {
        let (source, _) = self.state.store.open_source(session, &SourceName::default()).await.unwrap();
        let items = seqs.map(|seq| Ok(Sample::new(seq, seq, Vec::new()))).collect();
        self.state.store.commit(&[Batch { source, items }]).await.unwrap();
    }

    /// Another program's connection to the same database.
    pub(crate) async fn database(&self) -> Database {
        let url = &self.place.url;
        match self.state.store {
            Store::Sqlite(_) => Database::Sqlite(SqliteConnection::connect(url).await.unwrap()),
            Store::Postgres(_) => Database::Postgres(PgConnection::connect(url).await.unwrap()),
        }
    }

    /// Holds a lock, so that nothing commits until it is let go.
    pub(crate) async fn block_commits(&self) -> Database {
        let mut database = self.database().await;
        database
            .execute(match database {
                Database::Sqlite(_) => "BEGIN IMMEDIATE",
                Database::Postgres(_) => "BEGIN; LOCK TABLE sources IN EXCLUSIVE MODE",
            })
            .await;
        database
    }
}

pub(crate) async fn unblock(mut database: Database) {
    database.execute("ROLLBACK").await;
}

pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Of the socket: `ingest` or `watch`.
    kind: String,
    document: &'static Document,
}

/// Returns once this holds.
pub(crate) async fn until(mut holds: impl AsyncFnMut() -> bool) {
    patiently(async {
        // Boxed, as what is asked may be long.
        while !Box::pin(holds()).await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// What a client hears.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    Message(Value),
    Closed(u16),
}

pub(crate) fn request(address: SocketAddr, session: &str, kind: &str) -> Request<()> {
    let url = format!("ws://{address}/api/v1/sessions/{session}/{kind}");
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("mien.v1"));
    request
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr, session: SessionId, kind: &str) -> Self {
        Self::upgrade(address, request(address, &session.to_string(), kind)).await.0
    }

    /// A connection by this request, and what the relay answered.
    pub(crate) async fn upgrade(address: SocketAddr, request: Request<()>) -> (Self, Response<()>) {
        let document = document(address).await;
        let kind = request.uri().path().rsplit('/').next().unwrap().to_owned();
        let (socket, response) = patiently(tokio_tungstenite::connect_async(request)).await.unwrap();
        assert_eq!(response.headers()[header::SEC_WEBSOCKET_PROTOCOL], "mien.v1");
        (Self { socket, kind, document }, response.map(drop))
    }

    pub(crate) async fn say(&mut self, message: &Value) {
        self.say_text(&message.to_string()).await;
    }

    pub(crate) async fn say_text(&mut self, text: &str) {
        patiently(self.socket.send(Message::text(text))).await.unwrap();
    }

    pub(crate) async fn say_binary(&mut self) {
        patiently(self.socket.send(Message::binary(vec![1, 2, 3]))).await.unwrap();
    }

    pub(crate) async fn send(&mut self, seqs: impl IntoIterator<Item = u64>) {
        let message = samples(seqs);
        // A watcher has nothing to send, which a test may do all the same.
        if self.kind == "ingest" {
            check(self.document, &self.kind, "Request", &message);
        }
        self.say(&message).await;
    }

    pub(crate) async fn hear(&mut self) -> Heard {
        loop {
            match patiently(self.socket.next()).await {
                Some(Ok(Message::Text(text))) => {
                    let message = serde_json::from_str(&text).unwrap();
                    check(self.document, &self.kind, "Reply", &message);
                    return Heard::Message(message);
                }
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.map_or(1005, |frame| frame.code.into());
                    self.check_close(code);
                    return Heard::Closed(code);
                }
                Some(Ok(_)) => {}
                Some(Err(Error::ConnectionClosed)) | None => return Heard::Closed(1006),
                Some(Err(cause)) => panic!("{cause}"),
            }
        }
    }

    fn check_close(&self, code: u16) {
        let codes = self.document.value["x-close-codes"].as_array().unwrap();
        // 1005 is a close without a code: the answer to one.
        assert!(code == 1005 || codes.iter().any(|close| close["code"] == code), "{code} is not documented");
    }

    pub(crate) async fn hear_message(&mut self) -> Value {
        match self.hear().await {
            Heard::Message(message) => message,
            Heard::Closed(code) => panic!("closed with {code}"),
        }
    }

    /// The next message, which must be of this type.
    pub(crate) async fn hear_type(&mut self, kind: &str) -> Value {
        let message = self.hear_message().await;
        assert_eq!(message["type"], kind, "{message}");
        message
    }

    /// Reads acks until one covers `through`; nothing else may come.
    pub(crate) async fn acked(&mut self, through: u64) {
        let mut last = 0;
        while last < through {
            let ack = self.hear_type("ack").await["through"].as_u64().unwrap();
            assert!(ack >= last, "an ack never goes back");
            last = ack;
        }
        assert_eq!(last, through);
    }

    /// The close code, and what came before it.
    pub(crate) async fn closed(&mut self) -> (u16, Vec<Value>) {
        let mut messages = Vec::new();
        loop {
            match self.hear().await {
                Heard::Message(message) => messages.push(message),
                Heard::Closed(code) => return (code, messages),
            }
        }
    }

    pub(crate) async fn close_code(&mut self) -> u16 {
        self.closed().await.0
    }

    /// Reads a watcher's messages until `main` has been seen up to `last`; gives the seqs in order.
    pub(crate) async fn watched(&mut self, last: u64) -> Vec<u64> {
        let mut seqs = Vec::new();
        while seqs.last() != Some(&last) {
            let message = self.hear_message().await;
            if message["type"] == "samples" {
                assert_eq!(message["source"], "main");
                seqs.extend(
                    message["samples"].as_array().unwrap().iter().map(|s| s["seq"].as_u64().unwrap()),
                );
            }
        }
        seqs
    }

    pub(crate) async fn leave(mut self) {
        self.socket.close(None).await.unwrap();
        while let Some(Ok(_)) = patiently(self.socket.next()).await {}
    }
}

/// The AsyncAPI document, as the first relay that a client came to serves it.
pub(crate) async fn document(address: SocketAddr) -> &'static Document {
    static DOCUMENT: OnceCell<Document> = OnceCell::const_new();
    let read =
        async || Document::new(serde_json::from_str(&get(address, "/api/v1/asyncapi.json").await).unwrap());
    DOCUMENT.get_or_init(read).await
}

/// The body of what a relay answers.
pub(crate) async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    patiently(stream.read_to_string(&mut answer)).await.unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// Holds a message of a `Request` or a `Reply` of this kind of socket to the contract.
#[track_caller]
fn check(document: &Document, kind: &str, side: &str, message: &Value) {
    let name = format!("{kind}{side}-{}", message["type"].as_str().unwrap_or_default());
    document.check(&format!("/components/messages/{name}/payload"), message);
}

pub(crate) fn samples(seqs: impl IntoIterator<Item = u64>) -> Value {
    let samples: Vec<Value> = seqs.into_iter().map(sample).collect();
    json!({"type": "samples", "samples": samples})
}

pub(crate) fn sample(seq: u64) -> Value {
    json!({"seq": seq, "at": 1_000 + seq, "faces": [{
        "id": 1, "box": [0.25, 0.25, 0.5, 0.5], "expression": "happiness",
        "scores": [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0], "quality": 0.5
    }]})
}

pub(crate) async fn patiently<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it hangs")
}
