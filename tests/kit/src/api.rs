//! The relay's HTTP interface, one connection a call.

use std::net::SocketAddr;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use mien_shared::SessionId;
use mien_shared::api::{SessionCreated, StoredSample, Summary, TokenGrant};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::patiently;

/// Calls as one user.
#[derive(Clone, Debug)]
pub struct Api {
    pub address: SocketAddr,
    /// None: the user of open mode.
    pub token: Option<String>,
}

/// Status and body.
pub type Answer = (u16, Bytes);

impl Api {
    /// `None` where nobody answers.
    pub async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Option<Answer> {
        patiently(&format!("an answer to {method} {path}"), self.try_call(method, path, body)).await
    }

    async fn try_call(&self, method: &str, path: &str, body: Option<&Value>) -> Option<Answer> {
        let stream = TcpStream::connect(self.address).await.ok()?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.to_string())
            .header(header::CONNECTION, "close");
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Bytes::new, |body| body.to_string().into());
        let request = request.body(Full::new(body)).expect("method and path are good");
        let response = sender.send_request(request).await.ok()?;
        let status = response.status().as_u16();
        Some((status, response.into_body().collect().await.ok()?.to_bytes()))
    }

    /// A call that must work.
    async fn done<T: DeserializeOwned>(&self, method: &str, path: &str, body: Option<&Value>) -> T {
        let (status, body) = self.call(method, path, body).await.expect("the relay answers");
        let text = String::from_utf8_lossy(&body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_else(|cause| panic!("{method} {path}: {cause}: {text}"))
    }

    /// Status of a probe; `None` where nobody answers.
    pub async fn status(&self, path: &str) -> Option<u16> {
        self.call("GET", path, None).await.map(|(status, _)| status)
    }

    /// 200 or 503, or `None` where nobody answers.
    pub async fn ready(&self) -> Option<u16> {
        self.status("/readyz").await
    }

    pub async fn create_session(&self) -> SessionCreated {
        self.done("POST", "/api/v1/sessions", Some(&json!({}))).await
    }

    /// A token to send as this source.
    pub async fn source_token(&self, session: SessionId, source: &str) -> String {
        let wanted = json!({"role": "ingest", "source": source});
        let path = format!("/api/v1/sessions/{session}/tokens");
        self.done::<TokenGrant>("POST", &path, Some(&wanted)).await.token
    }

    pub async fn complete(&self, session: SessionId) {
        let path = format!("/api/v1/sessions/{session}");
        self.done::<Value>("PATCH", &path, Some(&json!({"status": "completed"}))).await;
    }

    pub async fn summary(&self, session: SessionId) -> Summary {
        self.done("GET", &format!("/api/v1/sessions/{session}/summary"), None).await
    }

    /// Everything that is stored, in the order of the export.
    pub async fn stored(&self, session: SessionId) -> Vec<StoredSample> {
        let path = format!("/api/v1/sessions/{session}/export?format=ndjson");
        let (status, body) = self.call("GET", &path, None).await.expect("a whole export");
        assert_eq!(status, 200);
        let line = |line| serde_json::from_slice(line).expect("a stored sample");
        body.split(|byte| *byte == b'\n').filter(|text| !text.is_empty()).map(line).collect()
    }

    /// One figure of the metrics, named with its labels as it stands there; `None` where there is none.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        let (_, body) = self.call("GET", "/metrics", None).await?;
        let text = String::from_utf8_lossy(&body).into_owned();
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }
}
