//! The WebSockets of `mien.v1`: what is checked before the upgrade, and the two kinds of connection.
//!
//! A connection is one task. Buffers are small and nothing is queued without a bound, so ten thousand
//! connections fit into little memory.

mod bell;
mod gate;
mod heard;
mod hello;
mod ingest;
mod rest;
mod upgrade;
mod watch;
mod wire;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Extension, Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use mien_shared::limits::MAX_MESSAGE_BYTES;
use mien_shared::protocol::SUBPROTOCOL;
use mien_shared::{Code, SessionId};
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::OwnedSemaphorePermit;

use crate::app::AppState;
use crate::http::RequestId;
use crate::origin;
use crate::problem::ApiError;
use crate::trace::TraceContext;

pub(crate) use hello::REFUSALS;
pub(crate) use upgrade::SpoiledUpgrades;

/// Bytes of each connection's read buffer, which it holds for as long as it lives. The library's own choice is
/// 128 KiB; messages that are larger than this grow the buffer for their time.
const READ_BYTES: usize = 2 * 1024;
/// Bytes that gather before they are written without a flush: all that a watcher is sent after a rest.
const WRITE_BYTES: usize = 16 * 1024;
/// Bytes that wait to be written before a write fails: over the largest message the relay sends.
const MAX_WRITE_BYTES: usize = 8 * 1024 * 1024;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/v1/sessions/{id}/ingest", get(ingest))
        .route("/api/v1/sessions/{id}/watch", get(watch))
}

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

async fn ingest(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Extension(context): Extension<TraceContext>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    let admission = admit(&state, &id, &headers, upgrade)?;
    let count = Count::up(&state.metrics.ingest_connections);
    let span = tracing::info_span!(
        parent: None, "ingest", session = %admission.session, %request_id, trace_id = %context.trace_id()
    );
    context.adopt(&span);
    Ok(admission.upgrade.on_upgrade(move |socket| {
        // Boxed: a future that awaits another keeps room for it twice.
        let served = Box::pin(ingest::serve(state, admission.session, Box::new(socket), span));
        hold(served, admission.permit, count)
    }))
}

async fn watch(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Extension(context): Extension<TraceContext>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    let admission = admit(&state, &id, &headers, upgrade)?;
    let count = Count::up(&state.metrics.watch_connections);
    let span = tracing::info_span!(
        parent: None, "watch", session = %admission.session, %request_id, trace_id = %context.trace_id()
    );
    context.adopt(&span);
    Ok(admission.upgrade.on_upgrade(move |socket| {
        let served = Box::pin(watch::serve(state, admission.session, Box::new(socket), span));
        hold(served, admission.permit, count)
    }))
}

/// A connection while it lasts: its permit and its count are given back when the task ends, however it ends.
async fn hold(served: impl Future<Output = ()>, permit: OwnedSemaphorePermit, count: Count) {
    served.await;
    drop((permit, count));
}

/// What a request has that may be upgraded.
struct Admission {
    session: SessionId,
    upgrade: WebSocketUpgrade,
    permit: OwnedSemaphorePermit,
}

fn admit(state: &AppState, id: &str, headers: &HeaderMap, upgrade: Upgrade) -> Result<Admission, ApiError> {
    if !origin::is_allowed(headers, &state.config.allowed_origins) {
        return Err(state.origin_refusals.foreign_origin(headers));
    }
    let session =
        id.parse().map_err(|_| ApiError::new(Code::SessionNotFound, "the id in the address is no UUID"))?;
    let upgrade = upgrade
        .map_err(|rejection| state.spoiled_upgrades.refuse(headers, rejection.body_text()))?
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(WRITE_BYTES)
        .max_write_buffer_size(MAX_WRITE_BYTES)
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES);
    if upgrade.selected_protocol().is_none() {
        return Err(ApiError::new(Code::SubprotocolRequired, "offer mien.v1 in Sec-WebSocket-Protocol"));
    }
    if state.drain.has_begun() {
        return Err(ApiError::new(Code::Draining, "connect to another relay or try again"));
    }
    let permit = state
        .connections
        .clone()
        .try_acquire_owned()
        .map_err(|_| ApiError::new(Code::AtCapacity, "all connections are taken"))?;
    Ok(Admission { session, upgrade, permit })
}

/// Counts a connection for as long as it lives.
struct Count(Gauge);

impl Count {
    fn up(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::ws::WebSocket;
    use tracing::Span;

    use super::*;

    /// Whatever a connection might wait for once, its task has room for as long as it lives, unless it is boxed.
    #[test]
    fn a_connection_that_waits_is_small() {
        fn size<F>(_: impl FnOnce(AppState, SessionId, Box<WebSocket>, Span) -> F) -> usize {
            size_of::<F>()
        }
        let (ingest, watch) = (size(ingest::serve), size(watch::serve));
        assert!(ingest <= 3 * 1024 && watch <= 3 * 1024, "{ingest} and {watch} bytes");
    }
}
