//! From a request to a WebSocket.
//!
//! By hand, and not by axum's extractor: what that gives does not let the connection under it be counted.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use mien_shared::limits::MAX_MESSAGE_BYTES;
use mien_shared::protocol::SUBPROTOCOL;
use mien_shared::{Code, SessionId};
use prometheus_client::metrics::gauge::Gauge;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tracing::Span;

use super::frame_limit::{Metered, Sizes};
use crate::app::AppState;
use crate::http::problem::ApiError;
use crate::limits::pending::Place;

/// Bytes of each connection's read buffer, which it holds for as long as it lives. The library's own choice is
/// 128 KiB; messages that are larger than this grow the buffer for their time.
const READ_BYTES: usize = 2 * 1024;
/// Bytes that gather before they are written without a flush: all that a watcher is sent after a rest.
const WRITE_BYTES: usize = 16 * 1024;
/// Bytes that wait to be written before a write fails: over the largest message the relay sends.
const MAX_WRITE_BYTES: usize = 8 * 1024 * 1024;

pub(super) type Socket = WebSocketStream<Metered<TokioIo<hyper::upgrade::Upgraded>>>;

/// A connection that has just become a WebSocket, and all that goes with it.
pub(super) struct Entrant {
    pub(super) state: AppState,
    pub(super) session: SessionId,
    /// Boxed, as it is large.
    pub(super) socket: Box<Socket>,
    pub(super) span: Span,
    pub(super) place: Place,
}

/// A request that may be upgraded.
#[derive(Debug)]
pub(super) struct Handshake {
    on: OnUpgrade,
    /// What it is answered with.
    response: Response,
}

impl Handshake {
    pub(super) fn read(request: Request) -> Result<Self, ApiError> {
        let mut request = request.map(drop);
        let mut response = create_response_with_body(&request, Body::empty)
            .map_err(|fault| ApiError::new(Code::Malformed, fault.to_string()))?;
        if !offers_subprotocol(request.headers()) {
            return Err(ApiError::new(Code::SubprotocolRequired, "offer mien.v1 in Sec-WebSocket-Protocol"));
        }
        let chosen = HeaderValue::from_static(SUBPROTOCOL);
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, chosen);
        Ok(Self { on: hyper::upgrade::on(&mut request), response })
    }

    /// Answers the request; `serve` gets what it becomes, in a task of its own.
    pub(super) fn accept<F: Future<Output = ()> + Send>(
        self,
        sizes: Sizes,
        place: Place,
        serve: impl FnOnce(Box<Socket>, Place) -> F + Send + 'static,
    ) -> Response {
        tokio::spawn(async move {
            // A peer that does not even take the answer loses its place, too.
            let Some(Ok(upgraded)) = place.while_kept(self.on).await else { return };
            let metered = Metered::new(TokioIo::new(upgraded), sizes);
            let socket = WebSocketStream::from_raw_socket(metered, Role::Server, Some(config())).await;
            serve(Box::new(socket), place).await;
        });
        self.response
    }
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(WRITE_BYTES)
        .max_write_buffer_size(MAX_WRITE_BYTES)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES))
}

fn offers_subprotocol(headers: &HeaderMap) -> bool {
    let offers = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let mut names = offers.flat_map(|offer| offer.as_bytes().split(|byte| *byte == b','));
    names.any(|name| name.trim_ascii() == SUBPROTOCOL.as_bytes())
}

/// Counts a connection for as long as it lives.
pub(super) struct Count(Gauge);

impl Count {
    pub(super) fn up(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.0.dec();
    }
}
