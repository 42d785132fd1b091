//! Bounds the requests that are under way at the same time, see [`crate::connections`].

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use mien_shared::Code;

use super::problem::ApiError;
use crate::app::AppState;
use crate::connections::{Tracked, client};

/// Answered whatever else is under way: their answers are short, and must not wait behind what they report.
const HEALTH: [&str; 2] = ["/healthz", "/readyz"];
/// How long a client should wait that found no slot.
const RETRY_AFTER: Duration = Duration::from_secs(1);

pub(super) async fn admit(
    State(state): State<AppState>,
    matched: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let route = matched.as_ref().map_or("", MatchedPath::as_str);
    if HEALTH.contains(&route) {
        return next.run(request).await;
    }
    let connection = request.extensions().get::<Tracked>().cloned();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().copied();
    if let (Some(connection), Some(ConnectInfo(peer))) = (connection, peer) {
        let address = client::address(peer, request.headers(), &state.config.trusted_proxies);
        if !connection.admit(address).await {
            let refused =
                ApiError::new(Code::AtCapacity, "too many requests are under way").retry_after(RETRY_AFTER);
            let close = [(header::CONNECTION, HeaderValue::from_static("close"))];
            return (close, refused).into_response();
        }
    }
    next.run(request).await
}
