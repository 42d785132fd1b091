//! Pages of other origins: refused where they would change something, and told nothing by CORS unless the
//! configuration names them.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::check::{is_allowed, is_local_host, is_named, is_of_another_site};
use super::forwarded::naming_another_machine;
use super::refusal;
use crate::app::AppState;
use crate::config::AuthMode;
use crate::http::problem::ApiError;

const ALLOWED_METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PATCH, DELETE");
const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static("Authorization, Content-Type, X-Request-Id");
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "X-Request-Id, RateLimit, RateLimit-Policy, Retry-After, Location, Content-Disposition",
);
/// Seconds for which a browser need not ask again. Browsers cap it at two hours.
const PREFLIGHT_SECONDS: HeaderValue = HeaderValue::from_static("600");

pub(in crate::http) async fn guard(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let allowed = &state.config.allowed_origins;
    let named = named_origin(request.headers(), allowed);
    let mut response = if let Some(refused) = refuse(&state, &request, named.is_some()) {
        refused.into_response()
    } else if let Some(answer) = preflight(&request, named.is_some()) {
        answer
    } else {
        next.run(request).await
    };
    if !allowed.is_empty() {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    }
    if let Some(origin) = named {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
    }
    response
}

/// Before anything is charged to a rate.
fn refuse(state: &AppState, request: &Request, named: bool) -> Option<ApiError> {
    let (headers, config, log) = (request.headers(), &state.config, &state.origin_log);
    if config.auth == AuthMode::Open {
        if !is_local_host(headers) {
            return Some(refusal::foreign_host(log, headers));
        }
        if let Some(field) = naming_another_machine(headers) {
            return Some(refusal::forwarded(log, field));
        }
        let path = request.uri().path();
        let asks = path.strip_prefix(&config.base_path).unwrap_or(path).starts_with("/api/");
        if asks && !named && is_of_another_site(headers, &config.allowed_origins) {
            let says_which = headers.contains_key(header::ORIGIN);
            return Some(if says_which {
                refusal::foreign_origin(log, headers)
            } else {
                refusal::other_site(log, headers)
            });
        }
    }
    let changes = is_changing(request.method()) && !is_allowed(headers, &config.allowed_origins);
    changes.then(|| refusal::foreign_origin(log, headers))
}

/// Tokens travel in a header, never in a cookie, so no answer ever allows credentials.
fn preflight(request: &Request, named: bool) -> Option<Response> {
    let asks = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS),
    ];
    (asks && named).then(|| (StatusCode::NO_CONTENT, headers).into_response())
}

fn is_changing(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The request's origin, where the configuration names it.
fn named_origin(headers: &HeaderMap, allowed: &[String]) -> Option<HeaderValue> {
    let mut origins = headers.get_all(header::ORIGIN).into_iter();
    let origin = origins.next()?;
    let text = origin.to_str().ok()?;
    let named = origins.next().is_none() && is_named(text, allowed);
    named.then(|| origin.clone())
}
