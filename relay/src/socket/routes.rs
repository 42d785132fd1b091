//! Upgrade requests: what is checked before one becomes a WebSocket.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::Router;
use axum::extract::{ConnectInfo, Extension, Path, Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use mien_shared::limits::{MAX_HELLO_BYTES, MAX_MESSAGE_BYTES};
use mien_shared::{Code, SessionId};

use super::frame_limit::MessageLimits;
use super::gauge::GaugeGuard;
use super::upgrade::{Accepted, Handshake};
use super::{ingest, stripped, watch};
use crate::app::AppState;
use crate::connections::client;
use crate::http::origin;
use crate::http::problem::ApiError;
use crate::http::request_id::RequestId;
use crate::limits::PendingSlot;
use crate::observe::trace::TraceContext;

const SOURCE_LIMITS: MessageLimits = MessageLimits { first: MAX_HELLO_BYTES, other: MAX_MESSAGE_BYTES };
/// A watcher sends nothing after its hello.
const WATCHER_LIMITS: MessageLimits = MessageLimits { first: MAX_HELLO_BYTES, other: MAX_HELLO_BYTES };

pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/v1/sessions/{id}/ingest", get(accept_source))
        .route("/api/v1/sessions/{id}/watch", get(accept_watcher))
}

async fn accept_source(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Extension(context): Extension<TraceContext>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    request: Request,
) -> Result<Response, ApiError> {
    let Admission { session, handshake, slot } = admit(&state, &id, request).await?;
    let count = GaugeGuard::new(&state.metrics.ingest_connections);
    let span = tracing::info_span!(
        parent: None, "ingest", %session, %request_id, trace_id = %context.trace_id()
    );
    context.adopt(&span);
    Ok(handshake.accept(SOURCE_LIMITS, slot, move |socket, slot| {
        // Boxed: a future that awaits another reserves room for it twice.
        counted(Box::pin(ingest::serve(Accepted { state, session, socket, span, slot })), count)
    }))
}

async fn accept_watcher(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Extension(context): Extension<TraceContext>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    request: Request,
) -> Result<Response, ApiError> {
    let Admission { session, handshake, slot } = admit(&state, &id, request).await?;
    let count = GaugeGuard::new(&state.metrics.watch_connections);
    let span = tracing::info_span!(
        parent: None, "watch", %session, %request_id, trace_id = %context.trace_id()
    );
    context.adopt(&span);
    Ok(handshake.accept(WATCHER_LIMITS, slot, move |socket, slot| {
        counted(Box::pin(watch::serve(Accepted { state, session, socket, span, slot })), count)
    }))
}

/// Counts a connection until its task ends, however it ends.
async fn counted(served: impl Future<Output = ()>, count: GaugeGuard) {
    served.await;
    drop(count);
}

/// A request that may be upgraded.
struct Admission {
    session: SessionId,
    handshake: Handshake,
    slot: PendingSlot,
}

async fn admit(state: &AppState, id: &str, request: Request) -> Result<Admission, ApiError> {
    if !origin::is_allowed(request.headers(), &state.config.allowed_origins) {
        return Err(origin::foreign_origin(&state.origin_log, request.headers()));
    }
    let session =
        id.parse().map_err(|_| ApiError::new(Code::SessionNotFound, "the id in the address is no UUID"))?;
    let address = address(state, request.extensions().get(), request.headers());
    stripped::check(request.headers(), &state.upgrade_log)?;
    let handshake = Handshake::read(request)?;
    let draining = || ApiError::new(Code::Draining, "connect to another relay or try again");
    if state.drain.has_begun() {
        return Err(draining());
    }
    // Its hello may be bad, but if it is good there is no permit left for it.
    if state.connections.available_permits() == 0 {
        return Err(ApiError::new(Code::AtCapacity, "all connections are taken"));
    }
    let slot = tokio::select! {
        biased;
        slot = state.pending.slot(address) => slot,
        () = state.drain.begun() => return Err(draining()),
        () = tokio::time::sleep(state.config.timeouts.headers) => {
            let detail = "too many connections have not said hello";
            return Err(ApiError::new(Code::AtCapacity, detail));
        }
    };
    Ok(Admission { session, handshake, slot })
}

fn address(state: &AppState, peer: Option<&ConnectInfo<SocketAddr>>, headers: &HeaderMap) -> IpAddr {
    match peer {
        Some(ConnectInfo(peer)) => {
            client::network(client::address(*peer, headers, &state.config.trusted_proxies))
        }
        // The router was called without a connection: all such callers count as one.
        None => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever a connection awaits even once takes up room in its task for as long as it lives, unless it is boxed.
    #[test]
    fn a_connection_that_waits_is_small() {
        fn size<F>(_: impl FnOnce(Accepted) -> F) -> usize {
            size_of::<F>()
        }
        let (ingest, watch) = (size(ingest::serve), size(watch::serve));
        assert!(ingest <= 3 * 1024 && watch <= 3 * 1024, "{ingest} and {watch} bytes");
    }
}
