//! What happens to every request, whatever answers it: an id, a span in its caller's trace, a figure, the security headers, and a
//! problem where it failed.
//!
//! Refuses to log what a request carries: the span has method, route and id, never a path, a query or a token.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use mien_shared::Code;
use mien_shared::limits::MAX_REQUEST_ID_CHARS;
use tracing::Instrument;
use tracing::field::Empty;
use uuid::Uuid;

use crate::app::AppState;
use crate::http::problem::{self, ApiError};
use crate::observe::trace::{TRACEPARENT, TraceContext};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What the request is called in logs, for what outlives it.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) Arc<str>);

/// Endpoint of requests that no route takes, so that strangers cannot make up series.
const NO_ENDPOINT: &str = "none";

/// Nothing is loaded, sent or framed that is not the relay's own. `wasm-unsafe-eval` allows compiling
/// WebAssembly and nothing else; the pictures and videos that a person opens are `blob:`.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; worker-src 'self'; \
     manifest-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'";

const SECURITY_HEADERS: [(HeaderName, HeaderValue); 6] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY)),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "camera=(self), microphone=(), geolocation=(), display-capture=(), payment=(), usb=(), serial=(), \
             hid=(), midi=(), gyroscope=(), accelerometer=(), magnetometer=(), browsing-topics=()",
        ),
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// The outermost layer.
pub(super) async fn observe(
    State(state): State<AppState>,
    matched: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let start = Instant::now();
    let id = request_id(request.headers());
    let method = request.method().clone();
    let endpoint = matched.as_ref().map_or(NO_ENDPOINT, MatchedPath::as_str);
    let span = tracing::info_span!("request", %method, endpoint, request_id = %id, trace_id = Empty);
    let context = TraceContext::enter(&span, TraceContext::of(request.headers()));
    span.record("trace_id", tracing::field::display(context.trace_id()));
    request.extensions_mut().insert(context);
    request.extensions_mut().insert(RequestId(id.as_str().into()));

    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone()).await;
    let mut response = span.in_scope(|| {
        let response = answer.unwrap_or_else(|_| {
            // The panic hook has told what and where.
            tracing::error!("a handler panicked");
            ApiError::plain(Code::Internal).into_response()
        });
        if let Some(error) = response.extensions().get::<ApiError>() {
            state.count_store_error(error);
        }
        let response = problem::finish(response, &id);
        let elapsed = start.elapsed();
        tracing::debug!(status = response.status().as_u16(), ms = elapsed.as_millis() as u64, "answered");
        state.metrics.observe_request(&method, endpoint, response.status(), elapsed.as_secs_f64());
        response
    });

    let headers = response.headers_mut();
    // An id is of the alphabet that headers take: it was checked or made here.
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(REQUEST_ID, id);
    }
    if let Ok(context) = HeaderValue::try_from(context.to_string()) {
        headers.insert(TRACEPARENT, context);
    }
    headers.extend(SECURITY_HEADERS);
    // What the API says of a person is kept by nobody on the way.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The id that the client or a proxy gave, if it is a sane one; else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let sane = |id: &&str| {
        (1..=MAX_REQUEST_ID_CHARS).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(sane);
    given.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sane_request_ids_are_kept() {
        let kept = |id: &'static [u8]| {
            let headers = [(REQUEST_ID, HeaderValue::from_bytes(id).unwrap())].into_iter().collect();
            request_id(&headers).as_bytes() == id
        };
        assert!(kept(b"a"));
        assert!(kept(b"01HV-trace_id.7"));
        assert!(kept(&[b'x'; 64]));
        for odd in [&b""[..], &[b'x'; 65], b"a b", b"a\tb", b"<script>", "ä".as_bytes()] {
            assert!(!kept(odd), "{odd:?}");
        }
        assert_eq!(request_id(&HeaderMap::new()).len(), 36);
    }
}
