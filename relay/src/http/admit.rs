//! Requests that are under way at the same time: bounded, see [`crate::connections`].

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use mien_shared::Code;

use crate::app::AppState;
use crate::connections::Link;
use crate::connections::client;
use crate::http::problem::ApiError;
use crate::socket;

/// Answered whatever else is under way: their answers are short, and must not wait behind what they are to tell of.
const HEALTH: [&str; 2] = ["/healthz", "/readyz"];
/// How long someone is to wait who found no place.
const RETRY_AFTER: Duration = Duration::from_secs(1);

pub(super) async fn admit(
    State(state): State<AppState>,
    matched: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let route = matched.as_ref().map_or("", MatchedPath::as_str);
    // WebSockets have limits of their own, and are no requests once they are open.
    if HEALTH.contains(&route) || socket::ROUTES.contains(&route) {
        return next.run(request).await;
    }
    let link = request.extensions().get::<Arc<Link>>().cloned();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().copied();
    if let (Some(link), Some(ConnectInfo(peer))) = (link, peer) {
        let address = client::address(peer, request.headers(), &state.config.trusted_proxies);
        if !link.connections().admit(&link, address).await {
            let refused =
                ApiError::new(Code::AtCapacity, "too many requests are under way").retry_after(RETRY_AFTER);
            let close = [(header::CONNECTION, HeaderValue::from_static("close"))];
            return (close, refused).into_response();
        }
    }
    next.run(request).await
}
