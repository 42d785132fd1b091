//! Pages of other origins: refused where they would change something, and told nothing by CORS unless the
//! configuration names them.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::AppState;
use crate::auth::AuthMode;
use crate::origin;

const ALLOWED_METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PATCH, DELETE");
const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static("Authorization, Content-Type, X-Request-Id");
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "X-Request-Id, RateLimit, RateLimit-Policy, Retry-After, Location, Content-Disposition",
);
/// Seconds for which a browser need not ask again. Browsers cap it at two hours.
const PREFLIGHT_SECONDS: HeaderValue = HeaderValue::from_static("600");

pub(super) async fn guard(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let allowed = &state.config.allowed_origins;
    let named = named_origin(request.headers(), allowed);
    let mut response =
        if state.config.auth == AuthMode::Open && !origin::is_local_host(request.headers(), allowed) {
            state.origin_refusals.foreign_host(request.headers()).into_response()
        } else if let Some(answer) = preflight(&request, named.is_some()) {
            answer
        } else if is_changing(request.method()) && !origin::is_allowed(request.headers(), allowed) {
            state.origin_refusals.foreign_origin(request.headers()).into_response()
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
    let named = origins.next().is_none() && allowed.iter().any(|one| one.eq_ignore_ascii_case(text));
    named.then(|| origin.clone())
}
