//! The relay's HTTP interface, typed. Every call settles: a failure of the browser, a timeout, and an answer outside the
//! contract are all values.

use std::fmt::Write as _;

use mien_shared::api::ExportFormat;
use mien_shared::api::{
    CreateMarker, CreateSession, Marker, MarkerList, PatchSession, SamplesPage, Series, Session,
    SessionCreated, SessionList, Summary, TokenGrant, TokenRequest,
};
use mien_shared::{Code, Problem, SessionId, SourceName};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::browser::{self, HttpAnswer};

/// Why a call gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ApiFault {
    /// The relay refused; the code says why.
    #[error("{}", .0.title)]
    Problem(Problem),
    #[error("The relay cannot be reached. Check the connection and try again.")]
    Unreachable { detail: String },
    #[error("The relay did not answer in time.")]
    Timeout,
    #[error(
        "What answered at this page’s address is no Mien relay (HTTP {status}). Whoever runs it: /api/ must reach the relay too, and where it is served under a path, MIEN_BASE_PATH names that."
    )]
    Foreign { status: u16 },
    #[error(
        "Something in front of the relay asks for a password of its own. Reload this page to sign in. If that does not help, the relay’s operator must exempt /api/ from it, as the relay’s own tokens use the same header."
    )]
    ProxyPassword,
}

impl ApiFault {
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Problem(problem) => Some(problem.code),
            _ => None,
        }
    }
}

/// Which samples or points to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    pub source: Option<SourceName>,
    /// Unix milliseconds of `at`, inclusive.
    pub from: Option<u64>,
    /// Unix milliseconds of `at`, exclusive.
    pub to: Option<u64>,
}

/// One relay, used with one token. Without a token only an open relay answers.
#[derive(Clone, Debug)]
pub struct Relay {
    origin: String,
    token: Option<String>,
}

impl Relay {
    /// `origin`: for example `https://mien.example`, including the path under which it is served, if there is one;
    /// [`crate::page_base`] if the page comes from it.
    pub fn new(origin: impl Into<String>, token: Option<String>) -> Self {
        let origin: String = origin.into();
        Self { origin: origin.trim_end_matches('/').to_owned(), token }
    }

    pub async fn create_session(&self, new: &CreateSession) -> Result<SessionCreated, ApiFault> {
        self.call("POST", "/sessions", Some(new)).await
    }

    pub async fn sessions(&self, limit: u32, cursor: Option<&str>) -> Result<SessionList, ApiFault> {
        let query = Query::default().add("limit", Some(limit)).add("cursor", cursor);
        self.read(&format!("/sessions{query}")).await
    }

    pub async fn session(&self, id: SessionId) -> Result<Session, ApiFault> {
        self.read(&format!("/sessions/{id}")).await
    }

    pub async fn patch_session(&self, id: SessionId, patch: &PatchSession) -> Result<Session, ApiFault> {
        self.call("PATCH", &format!("/sessions/{id}"), Some(patch)).await
    }

    /// Erases the session with all its samples.
    pub async fn erase_session(&self, id: SessionId) -> Result<(), ApiFault> {
        self.send("DELETE", &format!("/sessions/{id}"), None).await.map(drop)
    }

    pub async fn create_token(&self, id: SessionId, request: &TokenRequest) -> Result<TokenGrant, ApiFault> {
        self.call("POST", &format!("/sessions/{id}/tokens"), Some(request)).await
    }

    pub async fn samples(
        &self,
        id: SessionId,
        range: &Range,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<SamplesPage, ApiFault> {
        let query = Query::of(range).add("limit", Some(limit)).add("cursor", cursor);
        self.read(&format!("/sessions/{id}/samples{query}")).await
    }

    pub async fn series(&self, id: SessionId, resolution_ms: u64, range: &Range) -> Result<Series, ApiFault> {
        let query = Query::of(range).add("resolution_ms", Some(resolution_ms));
        self.read(&format!("/sessions/{id}/series{query}")).await
    }

    pub async fn summary(&self, id: SessionId) -> Result<Summary, ApiFault> {
        self.read(&format!("/sessions/{id}/summary")).await
    }

    /// The export as bytes, for saving: a link cannot carry the token.
    pub async fn export(&self, id: SessionId, format: ExportFormat) -> Result<Vec<u8>, ApiFault> {
        let name = match format {
            ExportFormat::Csv => "csv",
            ExportFormat::Json => "json",
            ExportFormat::Ndjson => "ndjson",
        };
        Ok(self.send("GET", &format!("/sessions/{id}/export?format={name}"), None).await?.body)
    }

    pub async fn markers(&self, id: SessionId) -> Result<MarkerList, ApiFault> {
        self.read(&format!("/sessions/{id}/markers")).await
    }

    pub async fn create_marker(&self, id: SessionId, marker: &CreateMarker) -> Result<Marker, ApiFault> {
        self.call("POST", &format!("/sessions/{id}/markers"), Some(marker)).await
    }

    pub async fn delete_marker(&self, id: SessionId, marker: &Marker) -> Result<(), ApiFault> {
        self.send("DELETE", &format!("/sessions/{id}/markers/{}", marker.id), None).await.map(drop)
    }

    async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiFault> {
        self.call::<(), T>("GET", path, None).await
    }

    async fn call<B: Serialize, T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: Option<&B>,
    ) -> Result<T, ApiFault> {
        let body = body
            .map(serde_json::to_string)
            .transpose()
            .map_err(|cause| ApiFault::Unreachable { detail: cause.to_string() })?;
        let answer = self.send(method, path, body).await?;
        serde_json::from_slice(&answer.body).map_err(|_| ApiFault::Foreign { status: answer.status })
    }

    async fn send(&self, method: &str, path: &str, body: Option<String>) -> Result<HttpAnswer, ApiFault> {
        let url = format!("{}/api/v1{path}", self.origin);
        let answer =
            browser::request(method, &url, self.token.as_deref(), body).await.map_err(
                |fault| match fault {
                    browser::HttpFault::Timeout => ApiFault::Timeout,
                    browser::HttpFault::Unreachable(detail) => ApiFault::Unreachable { detail },
                },
            )?;
        if (200..300).contains(&answer.status) {
            return Ok(answer);
        }
        Err(match serde_json::from_slice::<Problem>(&answer.body) {
            Ok(problem) => ApiFault::Problem(problem),
            Err(_) if answer.asks_for_password => ApiFault::ProxyPassword,
            Err(_) => ApiFault::Foreign { status: answer.status },
        })
    }
}

/// A query string of the parameters that are there, percent-encoded.
#[derive(Default)]
struct Query(String);

impl Query {
    fn of(range: &Range) -> Self {
        Self::default().add("source", range.source.as_ref()).add("from", range.from).add("to", range.to)
    }

    fn add(mut self, name: &str, value: Option<impl ToString>) -> Self {
        if let Some(value) = value {
            self.0.push(if self.0.is_empty() { '?' } else { '&' });
            self.0.push_str(name);
            self.0.push('=');
            for byte in value.to_string().bytes() {
                if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                    self.0.push(char::from(byte));
                } else {
                    // Writing to a `String` cannot fail.
                    let _ = write!(self.0, "%{byte:02X}");
                }
            }
        }
        self
    }
}

impl std::fmt::Display for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_what_is_there_and_is_encoded() {
        assert_eq!(Query::default().to_string(), "");
        let range = Range { source: None, from: Some(5), to: None };
        let query = Query::of(&range).add("cursor", Some("a+b/ä="));
        assert_eq!(query.to_string(), "?from=5&cursor=a%2Bb%2F%C3%A4%3D");
    }
}
