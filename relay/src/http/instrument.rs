//! The outermost layer of every request: an id, a span in its caller's trace, metrics, the security headers, and a
//! problem where it failed.
//!
//! Refuses to log what a request carries: the span has method, route and id, never a path, a query or a token.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use mien_shared::Code;
use tracing::Instrument;
use tracing::field::Empty;

use super::problem::{self, ApiError};
use super::request_id::{REQUEST_ID, RequestId, request_id};
use super::security::SECURITY_HEADERS;
use crate::app::AppState;
use crate::observe::trace::{TRACEPARENT, TraceContext};

/// Endpoint of requests that no route takes, so that strangers cannot make up series.
const NO_ENDPOINT: &str = "none";

pub(super) async fn instrument(
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
            // The panic hook has logged what and where.
            tracing::error!("a handler panicked");
            ApiError::plain(Code::Internal).into_response()
        });
        if let Some(cause) = response.extensions().get::<ApiError>().and_then(ApiError::store_error) {
            state.metrics.count_store_error(cause);
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
    // Nothing on the way keeps what the API says of a person.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
