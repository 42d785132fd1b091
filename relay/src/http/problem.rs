//! Errors of the HTTP side: one type that handlers return, and the one place that turns it into an
//! RFC 9457 problem with the id of its request.
//!
//! An error has two readers. The client gets code and detail; the cause goes to the log, once, and no
//! further. Refuses to put a cause, a token or a value of a sample into an answer.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mien_shared::{Code, Problem};

use crate::auth::Forbidden;
use crate::lifecycle::SessionError;
use crate::limits::{NoReadSlot, OWN_SLOT_TIMEOUT};
use crate::store::StoreError;

/// A request that failed, and what to tell whom.
#[derive(Clone, Debug)]
pub struct ApiError {
    pub code: Code,
    /// Reaches the client: what is wrong with this very request.
    pub detail: String,
    retry_after: Option<Duration>,
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), retry_after: None, cause: None }
    }

    /// The detail is the code's own sentence.
    pub fn plain(code: Code) -> Self {
        Self::new(code, code.title())
    }

    /// 400: cannot be read.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(Code::Malformed, detail)
    }

    /// 422: reads, but is not allowed.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Code::Invalid, detail)
    }

    /// Something of ours failed. The cause is logged with the request; the client learns nothing of it.
    pub fn internal(cause: impl Error + Send + Sync + 'static) -> Self {
        Self::plain(Code::Internal).because(cause)
    }

    /// Adds the cause for the log.
    #[must_use]
    pub fn because(mut self, cause: impl Error + Send + Sync + 'static) -> Self {
        self.cause = Some(Arc::new(cause));
        self
    }

    /// Tells an operator why the store does not serve, in words that anyone may read.
    #[must_use]
    pub fn with_reason(mut self) -> Self {
        if let Some(cause) = self.store_error() {
            self.detail = cause.reason().to_owned();
        }
        self
    }

    /// The failure of the store behind it, if there is one.
    pub fn store_error(&self) -> Option<&StoreError> {
        self.cause.as_deref().and_then(|cause| cause.downcast_ref())
    }

    /// Adds `Retry-After`, rounded up to whole seconds.
    #[must_use]
    pub fn retry_after(mut self, pause: Duration) -> Self {
        self.retry_after = Some(pause);
        self
    }

    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The error and what led to it, on one line, for a log.
    pub fn chain(&self) -> impl std::fmt::Display + '_ {
        Chain(self)
    }

    /// Writes the cause to the log, once for a request: loud where the fault is ours.
    fn log(&self) {
        let code = self.code.name();
        match self.cause.as_deref() {
            Some(cause) if self.status().is_server_error() => {
                tracing::error!(code, cause = %Chain(cause), "request failed");
            }
            Some(cause) => tracing::debug!(code, cause = %Chain(cause), "request refused"),
            None => tracing::debug!(code, "request refused"),
        }
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl Error for ApiError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| &**cause as &(dyn Error + 'static))
    }
}

impl From<StoreError> for ApiError {
    fn from(cause: StoreError) -> Self {
        Arc::new(cause).into()
    }
}

impl From<Arc<StoreError>> for ApiError {
    fn from(cause: Arc<StoreError>) -> Self {
        let error = match &*cause {
            StoreError::Conflict => {
                Self::new(Code::Conflict, "a completed session cannot become active again")
            }
            StoreError::Ended => Self::plain(Code::SessionEnded),
            StoreError::TooManySources(most) => Self::new(
                Code::QuotaExceeded,
                format!("the session has {most} sources; send as one of them, or in another session"),
            ),
            StoreError::TooManyMarkers(most) => Self::new(
                Code::QuotaExceeded,
                format!("the session has {most} markers; take some away first"),
            ),
            StoreError::TooManySessions(most) => {
                Self::new(Code::QuotaExceeded, format!("you have {most} sessions; erase some first"))
            }
            StoreError::Corrupt(_) => Self::new(Code::Internal, "a stored sample cannot be read"),
            StoreError::Unusable(_)
            | StoreError::Moved(_)
            | StoreError::ReadOnly(_)
            | StoreError::Full(_)
            | StoreError::TimedOut
            | StoreError::Unreachable(_)
            | StoreError::Database(_) => {
                Self::plain(Code::StoreUnavailable).retry_after(Duration::from_secs(1))
            }
        };
        Self { cause: Some(cause), ..error }
    }
}

impl From<SessionError> for ApiError {
    fn from(cause: SessionError) -> Self {
        match cause {
            SessionError::NotFound => Self::new(Code::SessionNotFound, cause.to_string()),
            SessionError::Store(cause) => cause.into(),
            SessionError::Aborted(_) => Self::internal(cause),
        }
    }
}

impl From<Forbidden> for ApiError {
    fn from(cause: Forbidden) -> Self {
        Self::new(Code::Forbidden, cause.to_string())
    }
}

impl From<NoReadSlot> for ApiError {
    fn from(cause: NoReadSlot) -> Self {
        let code = match cause {
            NoReadSlot::Caller => Code::RateLimited,
            NoReadSlot::Relay => Code::AtCapacity,
        };
        Self::new(code, cause.to_string()).retry_after(OWN_SLOT_TIMEOUT)
    }
}

/// The body comes later: [`finish`] knows the request's id, handlers and extractors do not.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        let headers = response.headers_mut();
        if self.code == Code::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"mien\""));
        }
        if self.code == Code::Timeout {
            // The rest of the body may still come; nothing else could be read from this connection.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(pause) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(pause)));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Rounds up, and at least 1: `Retry-After: 0` would invite a busy loop.
pub fn whole_seconds(pause: Duration) -> u64 {
    (pause.as_secs() + u64::from(pause.subsec_nanos() > 0)).max(1)
}

/// Logs the cause of a failed request and writes its problem. Other answers pass as they are.
pub fn finish(mut response: Response, request_id: &str) -> Response {
    let error = response.extensions_mut().remove::<ApiError>().or_else(|| foreign(response.status()));
    let Some(error) = error else { return response };
    error.log();
    let problem = Problem::new(error.code, error.detail, request_id);
    // A problem is strings and a number: it always serializes, and a lost body would still carry the status.
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(Problem::MEDIA_TYPE));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    *response.body_mut() = Body::from(body);
    response
}

/// A refusal that a library wrote, as for an address that is not UTF-8: as a problem of ours.
fn foreign(status: StatusCode) -> Option<ApiError> {
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    Code::ALL.iter().find(|code| code.status() == status.as_u16()).map(|&code| ApiError::plain(code))
}

/// An error and what led to it, on one line. A level that repeats the text of the one before is left out.
struct Chain<'a>(&'a (dyn Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut told = self.0.to_string();
        f.write_str(&told)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            if !told.contains(&text) {
                write!(f, ": {text}")?;
            }
            told = text;
            next = cause.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_status_http_knows() {
        for &code in Code::ALL {
            assert_eq!(ApiError::plain(code).status().as_u16(), code.status());
        }
    }

    #[tokio::test]
    async fn a_problem_names_its_request_and_hides_its_cause() {
        let error = ApiError::internal(std::io::Error::other("disk /secret/path is full"));
        let response = finish(error.into_response(), "abc-1");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let problem: Problem = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            (problem.code, problem.status, problem.request_id.as_str()),
            (Code::Internal, 500, "abc-1")
        );
        assert!(!String::from_utf8_lossy(&body).contains("secret"));
    }

    #[test]
    fn a_relay_without_a_read_slot_is_at_capacity() {
        assert_eq!(ApiError::from(NoReadSlot::Relay).code, Code::AtCapacity);
        assert_eq!(ApiError::from(NoReadSlot::Caller).code, Code::RateLimited);
    }

    #[test]
    fn pauses_round_up() {
        for (milliseconds, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (2500, 3)] {
            assert_eq!(whole_seconds(Duration::from_millis(milliseconds)), seconds);
        }
    }
}
