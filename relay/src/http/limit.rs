//! The request rate of each user, and of each role in a session, reported in the IETF `RateLimit` fields
//! (draft-ietf-httpapi-ratelimit-headers).
//!
//! A request with a capability token counts for its session and role: someone with a link to watch does not spend what
//! its owner needs. A request without a valid token counts for its peer's address, so that guessing tokens is limited,
//! too, and costs no user anything.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use mien_shared::{Code, Role};

use super::problem::{ApiError, whole_seconds};
use crate::app::AppState;
use crate::auth::{Credentials, Grant};
use crate::config::Rate;
use crate::connections::client;
use crate::limits::Verdict;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

pub(super) async fn limit(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let key = key(&mut parts, &state).await;
    let verdict = state.request_limiter.take(&key, 1);
    let mut response = if verdict.allowed {
        next.run(Request::from_parts(parts, body)).await
    } else {
        state.metrics.rate_limited_requests.inc();
        ApiError::plain(Code::RateLimited).retry_after(verdict.retry_after).into_response()
    };
    for (name, value) in fields(&verdict, state.request_limiter.rate()) {
        // It consists of quotes, letters, digits, `;` and `=`.
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Users, sessions and addresses are kept apart: no user name can equal the key of another kind.
async fn key(parts: &mut Parts, state: &AppState) -> String {
    match <Credentials as FromRequestParts<AppState>>::from_request_parts(parts, state).await {
        Ok(Credentials { caller, .. }) => match caller.grant {
            None => format!("user {}", caller.user),
            Some(Grant { session, role, .. }) => format!("session {session} {}", name(role)),
        },
        Err(_) => match parts.extensions.get::<ConnectInfo<SocketAddr>>() {
            Some(ConnectInfo(peer)) => {
                let address = client::address(*peer, &parts.headers, &state.config.trusted_proxies);
                format!("peer {}", client::network(address))
            }
            None => "peer".to_owned(),
        },
    }
}

const fn name(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Ingest => "ingest",
        Role::Watch => "watch",
    }
}

/// `r` requests are left now; `t` seconds until there are more (all of them, where some are left).
fn fields(verdict: &Verdict, rate: Rate) -> [(HeaderName, String); 2] {
    let wait = if verdict.allowed { verdict.reset } else { verdict.retry_after };
    let window =
        whole_seconds(Duration::from_secs_f64(f64::from(rate.burst) / f64::from(rate.per_second.max(1))));
    [
        (RATE_LIMIT, format!("\"requests\";r={};t={}", verdict.remaining, whole_seconds(wait))),
        (RATE_LIMIT_POLICY, format!("\"requests\";q={};w={window}", verdict.limit)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_structured_as_the_draft_says() {
        let verdict = Verdict {
            allowed: true,
            limit: 40,
            remaining: 39,
            reset: Duration::from_millis(50),
            retry_after: Duration::ZERO,
        };
        let [(_, limit), (_, policy)] = fields(&verdict, Rate { per_second: 20, burst: 40 });
        assert_eq!((limit.as_str(), policy.as_str()), ("\"requests\";r=39;t=1", "\"requests\";q=40;w=2"));
    }
}
