//! A relay on a port of its own with a database of its own, and a plain HTTP/1.1 client, which holds each answer to
//! the contract.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use clap::Parser;
use http_body_util::{BodyExt, Full};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use mien_relay::app::AppState;
use mien_relay::auth::{Caller, Grant};
use mien_relay::config::{Config, Settings};
use mien_relay::observe::metrics::Metrics;
use mien_relay::serve;
use mien_relay::store::{Batch, Outcome, Store};
use mien_servers::Postgres;
use mien_shared::api::SessionCreated;
use mien_shared::{Code, Expression, Face, Problem, Role, Sample, Scores, SessionId};
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OnceCell;

use crate::conformance::Exchange;
use crate::contract::Document;

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
const FUTURE: u64 = 4_000_000_000;

/// As the first relay of this process served it.
static DOCUMENT: OnceCell<Document> = OnceCell::const_new();

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    settings: Settings,
}

pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    /// Of its listener for metrics, where it has one.
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) state: AppState,
    _folder: TempDir,
}

impl Relay {
    /// Wants tokens, and is generous with requests.
    pub(crate) async fn start() -> Self {
        Self::start_with(&["--auth=token", "--requests-burst=10000"]).await
    }

    pub(crate) async fn start_with(flags: &[&str]) -> Self {
        Self::start_changed(flags, |_| {}).await
    }

    pub(crate) async fn start_changed(flags: &[&str], change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = match Postgres::asked_for() {
            Some(server) => format!("--database-url={}", server.database()),
            None => format!("--database-url=sqlite:{}", folder.path().join("mien.db").display()),
        };
        let secret = format!("--token-secret={SECRET}");
        let line = ["mien-relay", &database, &secret].into_iter().chain(flags.iter().copied());
        let mut config = Config::resolve(CommandLine::parse_from(line).settings).unwrap();
        // What was counted just now is looked for.
        config.timeouts.metrics = Duration::ZERO;
        change(&mut config);
        let metrics = Metrics::new();
        let store = Store::open(&config.database_url, 4, &metrics).await.unwrap();
        let state = AppState::new(config, store, metrics);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut metrics = None;
        tokio::spawn(match state.config.metrics_listen {
            Some(wanted) => {
                let for_metrics = TcpListener::bind(wanted).await.unwrap();
                metrics = for_metrics.local_addr().ok();
                serve::serve_with_metrics(listener, for_metrics, state.clone())
            }
            None => serve::serve(listener, state.clone()),
        });
        let relay = Self { address, metrics, state, _folder: folder };
        DOCUMENT.get_or_init(|| relay.read_document()).await;
        relay
    }

    async fn read_document(&self) -> Document {
        Document::new(self.exchange(request(Method::GET, "/api/v1/openapi.json", "", None)).await.json())
    }

    pub(crate) fn user(&self, user: &str) -> String {
        self.state.tokens.sign(&Caller { user: user.to_owned(), grant: None }, FUTURE)
    }

    pub(crate) fn capability(&self, session: SessionId, role: Role) -> String {
        let grant = Grant { session, role, source: "main".parse().unwrap() };
        self.state.tokens.sign(&Caller { user: "alice".to_owned(), grant: Some(grant) }, FUTURE)
    }

    pub(crate) async fn create(&self, user: &str) -> SessionCreated {
        let answer = self.post("/api/v1/sessions", &self.user(user), r#"{"title":"T"}"#).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        answer.json()
    }

    /// Commits samples as the batcher does.
    pub(crate) async fn store(&self, id: SessionId, source: &str, samples: &[Sample]) {
        let (key, _) = self.state.store.open_source(id, &source.parse().unwrap()).await.unwrap();
        for part in samples.chunks(500) {
            let batch = Batch { source: key, items: part.iter().cloned().map(Ok).collect() };
            let outcomes = self.state.store.commit(&[batch]).await.unwrap();
            assert!(matches!(outcomes[..], [Outcome::Taken(_)]));
        }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(request(Method::GET, path, token, None)).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: &str) -> Answer {
        self.send(request(Method::POST, path, token, Some(body))).await
    }

    pub(crate) async fn patch(&self, path: &str, token: &str, body: &str) -> Answer {
        self.send(request(Method::PATCH, path, token, Some(body))).await
    }

    pub(crate) async fn delete(&self, path: &str, token: &str) -> Answer {
        self.send(request(Method::DELETE, path, token, None)).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.call(Method::GET, path, headers, "").await
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = request(method, path, "", None);
        for (name, value) in headers {
            request.headers_mut().append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        *request.body_mut() = Full::new(Bytes::from(body.to_owned()));
        self.send(request).await
    }

    /// One request, whose answer must be one of those that the contract foresees.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let (method, target) = (request.method().clone(), request.uri().to_string());
        let answer = self.exchange(request).await;
        let Answer { status, headers, body } = &answer;
        hold_to_contract(&Exchange { method: &method, target: &target, status: *status, headers, body });
        answer
    }

    /// One request on a connection of its own.
    async fn exchange(&self, mut request: Request<Full<Bytes>>) -> Answer {
        let host = self.address.to_string().parse().unwrap();
        request.headers_mut().insert(hyper::header::HOST, host);
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let (head, body) = sender.send_request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        drop(sender);
        connection.abort();
        Answer { status: head.status, headers: head.headers, body }
    }
}

/// For an answer that came another way than by [`Relay::send`].
pub(crate) fn hold_to_contract(exchange: &Exchange<'_>) {
    exchange.check(DOCUMENT.get().expect("a relay was started"));
}

/// An empty token sends no header.
pub(crate) fn request(method: Method, path: &str, token: &str, body: Option<&str>) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    if body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    request.body(Full::new(Bytes::from(body.unwrap_or_default().to_owned()))).unwrap()
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|fault| panic!("{fault}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A problem with this code, and all that every problem has.
    #[track_caller]
    pub(crate) fn is_problem(&self, code: Code) -> Problem {
        assert_eq!(self.header("content-type"), Problem::MEDIA_TYPE, "{self:?}");
        let problem: Problem = self.json();
        assert_eq!(problem.code, code, "{}", problem.detail);
        assert_eq!((problem.status, self.status.as_u16()), (code.status(), code.status()));
        assert_eq!(problem.title, code.title());
        assert_eq!(problem.kind, "about:blank");
        assert!(!problem.detail.is_empty());
        assert!(!problem.request_id.is_empty());
        assert_eq!(problem.request_id, self.header("x-request-id"));
        assert_eq!(self.header("cache-control"), "no-store");
        problem
    }
}

/// A sample with a face for each expression given.
pub(crate) fn sample(seq: u64, at: u64, faces: &[Option<Expression>]) -> Sample {
    let faces = faces.iter().zip(1_u32..).map(|(&expression, id)| Face {
        id,
        bounds: [0.25, 0.125, 0.5, 0.0625 * id as f32].into(),
        expression,
        scores: scores(seq, expression),
        quality: (id % 2 == 1).then_some(0.75),
    });
    Sample::new(seq, at, faces.collect())
}

fn scores(seq: u64, expression: Option<Expression>) -> Scores {
    let sharp = if expression.is_some() { 0.5 + (seq % 5) as f32 * 0.05 } else { 0.2 };
    let mut scores = [(1.0 - sharp) / 6.0; Expression::COUNT];
    scores[expression.map_or(0, Expression::index)] = sharp;
    Scores(scores)
}
