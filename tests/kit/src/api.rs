//! The relay's HTTP interface: calls that must work, and what they return.

use std::net::SocketAddr;
use std::time::Duration;

use hyper::Method;
use mien_shared::SessionId;
use mien_shared::api::{
    Role, Session, SessionCreated, SourceName, StoredSample, Summary, TokenGrant, TokenRequest,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::http::{Answer, exchange, request};
use crate::wait::patiently;

/// Calls as one user.
#[derive(Clone, Debug)]
pub struct Api {
    pub address: SocketAddr,
    /// None: the user of open mode.
    pub token: Option<String>,
}

impl Api {
    /// As the user of open mode.
    pub fn at(address: SocketAddr) -> Self {
        Self { address, token: None }
    }

    /// `None` if nobody answers.
    pub async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Option<Answer> {
        let verb: Method = method.parse().expect("a method");
        let body = body.map(Value::to_string);
        let request = request(verb, path, self.token.as_deref().unwrap_or_default(), body.as_deref());
        patiently(&format!("an answer to {method} {path}"), exchange(self.address, request)).await
    }

    /// A call that must succeed.
    async fn done<T: DeserializeOwned>(&self, method: &str, path: &str, body: Option<&Value>) -> T {
        let answer = self.call(method, path, body).await.expect("the relay answers");
        assert!(answer.status.is_success(), "{method} {path}: {} {}", answer.status, answer.text());
        answer.json()
    }

    /// `None` while the relay is away or busy; a wrong answer fails the test.
    pub async fn try_get<T: DeserializeOwned>(&self, path: &str) -> Option<T> {
        let answer = self.call("GET", path, None).await?;
        match answer.status.as_u16() {
            200 => Some(answer.json()),
            429 | 503 => None,
            status => panic!("{path} answered {status}: {}", answer.text()),
        }
    }

    /// Status of a probe; `None` if nobody answers.
    pub async fn status(&self, path: &str) -> Option<u16> {
        self.call("GET", path, None).await.map(|answer| answer.status.as_u16())
    }

    /// 200 or 503, or `None` if nobody answers.
    pub async fn ready(&self) -> Option<u16> {
        self.status("/readyz").await
    }

    pub async fn create_session(&self) -> SessionCreated {
        self.create_session_titled("").await
    }

    pub async fn create_session_titled(&self, title: &str) -> SessionCreated {
        self.done("POST", "/api/v1/sessions", Some(&json!({ "title": title }))).await
    }

    /// A token to send as this source.
    pub async fn source_token(&self, session: SessionId, source: &str) -> String {
        let source = Some(source.parse().expect("a source's name"));
        self.token(session, Role::Ingest, source, None).await
    }

    /// A capability token of this session.
    pub async fn token(
        &self,
        session: SessionId,
        role: Role,
        source: Option<SourceName>,
        life: Option<Duration>,
    ) -> String {
        let wanted = TokenRequest { role, source, ttl_s: life.map(|life| life.as_secs()) };
        let wanted = serde_json::to_value(&wanted).expect("plain JSON");
        let path = format!("/api/v1/sessions/{session}/tokens");
        self.done::<TokenGrant>("POST", &path, Some(&wanted)).await.token
    }

    pub async fn complete(&self, session: SessionId) {
        let path = format!("/api/v1/sessions/{session}");
        let session: Session = self.done("PATCH", &path, Some(&json!({"status": "completed"}))).await;
        assert!(session.completed_at.is_some());
    }

    pub async fn erase(&self, session: SessionId) {
        let answer = self.call("DELETE", &format!("/api/v1/sessions/{session}"), None).await;
        assert_eq!(answer.expect("the relay answers").status.as_u16(), 204);
    }

    pub async fn summary(&self, session: SessionId) -> Summary {
        self.done("GET", &format!("/api/v1/sessions/{session}/summary"), None).await
    }

    /// Everything that is stored, in the order of the export.
    pub async fn stored(&self, session: SessionId) -> Vec<StoredSample> {
        let path = format!("/api/v1/sessions/{session}/export?format=ndjson");
        let answer = self.call("GET", &path, None).await.expect("a whole export");
        assert_eq!(answer.status.as_u16(), 200);
        let line = |line| serde_json::from_slice(line).expect("a stored sample");
        answer.body.split(|byte| *byte == b'\n').filter(|text| !text.is_empty()).map(line).collect()
    }

    /// One value of the metrics, by its name with labels as listed there; `None` if there is none.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        let text = self.call("GET", "/metrics", None).await?.text();
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }
}
