//! One WebSocket to a relay. Every suite opens its sockets through this client.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use mien_shared::SessionId;
use mien_shared::protocol::SUBPROTOCOL;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Request, Response, header};
use tokio_tungstenite::tungstenite::{Error, Message};

pub type Socket = WebSocketStream<TcpStream>;

/// The connection ended without a close frame.
pub const BROKEN: u16 = 1006;

/// Statuses of a relay that is away for a while: its own, and that of a proxy that has not noticed yet.
pub(crate) const AWAY: [u16; 2] = [503, 502];

/// Which end of a session.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Ingest,
    Watch,
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// Nobody is there, or the connection broke.
    Nobody,
    /// Answered with this HTTP status.
    Refused(u16),
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Watch => "watch",
        }
    }
}

/// The upgrade that a client asks for.
pub fn request(address: SocketAddr, session: &str, kind: &str) -> Request<()> {
    let mut request = format!("ws://{address}/api/v1/sessions/{session}/{kind}")
        .into_client_request()
        .expect("an address and an id make an address");
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    request
}

/// A new connection with this request, and how the relay answered it. `receive_bytes` is the size of the kernel's
/// receive buffer, if it should be a small one.
pub async fn open(
    address: SocketAddr,
    request: Request<()>,
    receive_bytes: Option<u32>,
) -> Result<(Socket, Response<()>), Missed> {
    let socket = TcpSocket::new_v4().expect("a socket");
    if let Some(bytes) = receive_bytes {
        socket.set_recv_buffer_size(bytes).expect("a small buffer");
    }
    let stream = socket.connect(address).await.map_err(|_| Missed::Nobody)?;
    // Messages are small, and the other end waits for them.
    stream.set_nodelay(true).map_err(|_| Missed::Nobody)?;
    match tokio_tungstenite::client_async(request, stream).await {
        Ok((socket, response)) => Ok((socket, response.map(drop))),
        Err(Error::Http(response)) => Err(Missed::Refused(response.status().as_u16())),
        Err(_) => Err(Missed::Nobody),
    }
}

/// The same, for this role in a session. Its hello is still to be sent.
pub async fn connect(
    address: SocketAddr,
    session: SessionId,
    kind: Kind,
    receive_bytes: Option<u32>,
) -> Result<Socket, Missed> {
    let request = request(address, &session.to_string(), kind.name());
    open(address, request, receive_bytes).await.map(|(socket, _)| socket)
}

/// Sends one message; an error means that the connection has ended.
pub async fn say(socket: &mut Socket, message: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string(message).expect("messages are plain JSON");
    socket.send(Message::text(text)).await
}

/// The next message of the relay, or the code with which the connection ended.
pub async fn hear<T: DeserializeOwned>(
    from: &mut (impl futures_util::Stream<Item = Result<Message, Error>> + Unpin),
) -> Result<T, u16> {
    loop {
        match from.next().await {
            Some(Ok(Message::Text(text))) => {
                return Ok(serde_json::from_str(&text)
                    .unwrap_or_else(|cause| panic!("not of the contract ({cause}): {text}")));
            }
            Some(Ok(Message::Close(frame))) => return Err(frame.map_or(1005, |frame| frame.code.into())),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(BROKEN),
        }
    }
}
