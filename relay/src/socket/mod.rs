//! The WebSockets of `mien.v1`: what is checked before the upgrade, and the two kinds of connection.
//!
//! A connection is one task. Buffers are small and nothing is queued without a bound, so ten thousand
//! connections fit into little memory. What a stranger may hold before its hello is counted apart (`pending.rs`) and
//! small (`meter.rs`).

mod coalesce;
mod frame_limit;
mod hello;
mod ingest;
mod readiness;
mod stripped;
mod upgrade;
mod watch;
mod wire;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::Router;
use axum::extract::{ConnectInfo, Extension, Path, Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use mien_shared::limits::{MAX_HELLO_BYTES, MAX_MESSAGE_BYTES};
use mien_shared::{Code, SessionId};

use crate::app::AppState;
use crate::connections::client;
use crate::http::RequestId;
use crate::http::origin;
use crate::http::problem::ApiError;
use crate::limits::pending::Place;
use crate::observe::trace::TraceContext;
use frame_limit::Sizes;
use upgrade::{Count, Entrant, Handshake};

pub(crate) use hello::REFUSALS;
pub(crate) use stripped::SpoiledUpgrades;

const OF_A_SOURCE: Sizes = Sizes { first: MAX_HELLO_BYTES, other: MAX_MESSAGE_BYTES };
/// All that it may say was said in its hello.
const OF_A_WATCHER: Sizes = Sizes { first: MAX_HELLO_BYTES, other: MAX_HELLO_BYTES };

/// Where sources and watchers connect.
pub(crate) const ROUTES: [&str; 2] = ["/api/v1/sessions/{id}/ingest", "/api/v1/sessions/{id}/watch"];

pub fn routes() -> Router<AppState> {
    let [of_sources, of_watchers] = ROUTES;
    Router::new().route(of_sources, get(ingest)).route(of_watchers, get(watch))
}

async fn ingest(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Extension(context): Extension<TraceContext>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    request: Request,
) -> Result<Response, ApiError> {
    let Admission { session, handshake, place } = admit(&state, &id, request).await?;
    let count = Count::up(&state.metrics.ingest_connections);
    let span = tracing::info_span!(
        parent: None, "ingest", %session, %request_id, trace_id = %context.trace_id()
    );
    context.adopt(&span);
    Ok(handshake.accept(OF_A_SOURCE, place, move |socket, place| {
        // Boxed: a future that awaits another keeps room for it twice.
        hold(Box::pin(ingest::serve(Entrant { state, session, socket, span, place })), count)
    }))
}

async fn watch(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Extension(context): Extension<TraceContext>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    request: Request,
) -> Result<Response, ApiError> {
    let Admission { session, handshake, place } = admit(&state, &id, request).await?;
    let count = Count::up(&state.metrics.watch_connections);
    let span = tracing::info_span!(
        parent: None, "watch", %session, %request_id, trace_id = %context.trace_id()
    );
    context.adopt(&span);
    Ok(handshake.accept(OF_A_WATCHER, place, move |socket, place| {
        hold(Box::pin(watch::serve(Entrant { state, session, socket, span, place })), count)
    }))
}

/// A connection while it lasts: its count is given back when the task ends, however it ends.
async fn hold(served: impl Future<Output = ()>, count: Count) {
    served.await;
    drop(count);
}

/// What a request has that may be upgraded.
struct Admission {
    session: SessionId,
    handshake: Handshake,
    place: Place,
}

async fn admit(state: &AppState, id: &str, request: Request) -> Result<Admission, ApiError> {
    if !origin::is_allowed(request.headers(), &state.config.allowed_origins) {
        return Err(state.origin_refusals.foreign_origin(request.headers()));
    }
    let session =
        id.parse().map_err(|_| ApiError::new(Code::SessionNotFound, "the id in the address is no UUID"))?;
    let address = address(state, request.extensions().get(), request.headers());
    state.spoiled_upgrades.check(request.headers())?;
    let handshake = Handshake::read(request)?;
    let draining = || ApiError::new(Code::Draining, "connect to another relay or try again");
    if state.drain.has_begun() {
        return Err(draining());
    }
    // Nobody knows yet whether this one would get a permit, but there is none to get.
    if state.connections.available_permits() == 0 {
        return Err(ApiError::new(Code::AtCapacity, "all connections are taken"));
    }
    let place = tokio::select! {
        biased;
        place = state.pending.place(address) => place,
        () = state.drain.begun() => return Err(draining()),
        () = tokio::time::sleep(state.config.timeouts.headers) => {
            let detail = "too many connections have not said hello";
            return Err(ApiError::new(Code::AtCapacity, detail));
        }
    };
    Ok(Admission { session, handshake, place })
}

fn address(state: &AppState, peer: Option<&ConnectInfo<SocketAddr>>, headers: &HeaderMap) -> IpAddr {
    match peer {
        Some(ConnectInfo(peer)) => {
            client::network(client::address(*peer, headers, &state.config.trusted_proxies))
        }
        // Whoever serves the router otherwise: all of them are one.
        None => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever a connection might wait for once, its task has room for as long as it lives, unless it is boxed.
    #[test]
    fn a_connection_that_waits_is_small() {
        fn size<F>(_: impl FnOnce(Entrant) -> F) -> usize {
            size_of::<F>()
        }
        let (ingest, watch) = (size(ingest::serve), size(watch::serve));
        assert!(ingest <= 3 * 1024 && watch <= 3 * 1024, "{ingest} and {watch} bytes");
    }
}
