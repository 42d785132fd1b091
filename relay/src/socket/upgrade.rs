//! From a request to a WebSocket.
//!
//! Not with axum's extractor, which gives no access to the stream below the WebSocket, whose frames must be limited.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use mien_shared::limits::MAX_MESSAGE_BYTES;
use mien_shared::protocol::SUBPROTOCOL;
use mien_shared::{Code, SessionId};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tracing::Span;

use super::frame_limit::{FrameLimited, MessageLimits};
use crate::app::AppState;
use crate::http::problem::ApiError;
use crate::limits::PendingSlot;

/// Size of each connection's read buffer, which it holds for as long as it lives. tungstenite's default is 128 KiB;
/// larger messages grow the buffer temporarily.
const READ_BYTES: usize = 2 * 1024;
/// Bytes that are buffered before they are written without a flush: everything that a watcher is sent after a delay.
const WRITE_BYTES: usize = 16 * 1024;
/// Bytes that may be buffered before a write fails: more than the largest message the relay sends.
const MAX_WRITE_BYTES: usize = 8 * 1024 * 1024;

pub(super) type Socket = WebSocketStream<FrameLimited<TokioIo<hyper::upgrade::Upgraded>>>;

/// A connection that has just become a WebSocket.
pub(super) struct Accepted {
    pub(super) state: AppState,
    pub(super) session: SessionId,
    /// Boxed, as it is large.
    pub(super) socket: Box<Socket>,
    pub(super) span: Span,
    pub(super) slot: PendingSlot,
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

    /// Answers the request, and serves the WebSocket in a task of its own.
    pub(super) fn accept<F: Future<Output = ()> + Send>(
        self,
        limits: MessageLimits,
        slot: PendingSlot,
        serve: impl FnOnce(Box<Socket>, PendingSlot) -> F + Send + 'static,
    ) -> Response {
        tokio::spawn(async move {
            // Boxed: what is only needed for the upgrade is not kept for hours.
            let Some(socket) = Box::pin(upgraded(self.on, limits, &slot)).await else { return };
            serve(socket, slot).await;
        });
        self.response
    }
}

/// `None` for a peer that does not even read the answer and is evicted, or is gone.
async fn upgraded(on: OnUpgrade, limits: MessageLimits, slot: &PendingSlot) -> Option<Box<Socket>> {
    let upgraded = slot.while_kept(on).await?.ok()?;
    let limited = FrameLimited::new(TokioIo::new(upgraded), limits);
    Some(Box::new(WebSocketStream::from_raw_socket(limited, Role::Server, Some(config())).await))
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
