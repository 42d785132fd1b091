//! One WebSocket with the timing of the contract: pings when idle, an end to silence, and a close frame that arrives.

use std::task::Poll;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use mien_shared::problem::CloseCode;
use serde::Serialize;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{self, Bytes, Message, Utf8Bytes};

use super::frame_limit::TooLarge;
use super::readiness::{ReadyBit, ReadySet, Timer};
use super::upgrade::Socket;
use crate::config::Timeouts;

/// Time that a peer has to answer a close frame: until then the connection stays open, as a reset would drop the frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) struct Wire {
    /// Boxed, as it is large and handed from state to state, each of which would keep room for it.
    socket: Box<Socket>,
    timeouts: Timeouts,
    /// When the peer last sent anything.
    last_heard: Instant,
    /// Everything that the connection's task waits for.
    ready: ReadySet,
    readable: ReadyBit,
    /// For pings and silence. It is reset when it fires and not by each message, which would cost more than the
    /// message.
    timer: Timer,
}

enum Woken {
    Message(Option<Result<Message, tungstenite::Error>>),
    Timer,
}

/// What a peer sends.
#[derive(Debug)]
pub(super) enum Incoming {
    Text(Utf8Bytes),
    Binary,
    /// Nothing for a while, so a ping was sent.
    Idle,
    /// The peer closed, or the connection broke: there is nobody to answer.
    Gone,
    /// The connection must end with this code.
    Fault(CloseCode),
}

/// The peer takes nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gone;

impl Wire {
    pub(super) fn new(socket: Box<Socket>, timeouts: Timeouts) -> Self {
        let (last_heard, ready) = (Instant::now(), ReadySet::new());
        let (readable, timer) = (ready.register(), ready.timer(last_heard + timeouts.ping));
        Self { socket, timeouts, last_heard, ready, readable, timer }
    }

    pub(super) fn ready(&self) -> &ReadySet {
        &self.ready
    }

    /// When the peer last sent anything.
    pub(super) fn last_heard(&self) -> Instant {
        self.last_heard
    }

    /// The next message. Can be dropped and called again without loss.
    pub(super) async fn next(&mut self) -> Incoming {
        loop {
            let Self { socket, timer, readable, .. } = self;
            let woken =
                std::future::poll_fn(|task| match readable.poll(task, |task| socket.poll_next_unpin(task)) {
                    Poll::Ready(message) => Poll::Ready(Woken::Message(message)),
                    Poll::Pending => timer.poll(task).map(|()| Woken::Timer),
                });
            let incoming = match woken.await {
                Woken::Message(message) => self.read(message),
                // Boxed, as it is rare.
                Woken::Timer => Box::pin(self.check_silence()).await,
            };
            if let Some(incoming) = incoming {
                return incoming;
            }
        }
    }

    /// A message that is already here, if there is one.
    pub(super) fn next_now(&mut self) -> Option<Incoming> {
        loop {
            let Self { socket, readable, .. } = self;
            let Poll::Ready(message) = readable.poll_now(|task| socket.poll_next_unpin(task)) else {
                return None;
            };
            if let Some(incoming) = self.read(message) {
                return Some(incoming);
            }
        }
    }

    /// The peer was not read for a while: its silence is counted from now.
    pub(super) fn reset_silence(&mut self) {
        self.last_heard = Instant::now();
    }

    /// Sends one message.
    pub(super) async fn send(&mut self, message: &impl Serialize) -> Result<(), Gone> {
        self.send_text(json(message)).await
    }

    pub(super) async fn send_text(&mut self, text: Utf8Bytes) -> Result<(), Gone> {
        taken(self.timeouts, self.socket.send(Message::Text(text))).await
    }

    /// Queues one message, to leave with the next [`Wire::send`] or [`Wire::flush`].
    pub(super) async fn feed(&mut self, message: &impl Serialize) -> Result<(), Gone> {
        self.feed_text(json(message)).await
    }

    pub(super) async fn feed_text(&mut self, text: Utf8Bytes) -> Result<(), Gone> {
        taken(self.timeouts, self.socket.feed(Message::Text(text))).await
    }

    /// Sends what is queued.
    pub(super) async fn flush(&mut self) -> Result<(), Gone> {
        taken(self.timeouts, self.socket.flush()).await
    }

    /// Sends a close frame and waits, briefly, for the answer.
    pub(super) async fn close(mut self, code: CloseCode) {
        tracing::debug!(code = code.code(), reason = code.reason(), "closing");
        let frame = CloseFrame { code: code.code().into(), reason: code.reason().into() };
        let closing = async {
            if self.socket.send(Message::Close(Some(frame))).await.is_err() {
                return;
            }
            if matches!(code, CloseCode::TooLarge | CloseCode::NotUtf8) {
                // tungstenite reads no further after such a message, so the answer cannot be seen; dropping the
                // socket at once would reset the connection before the close frame arrives.
                tokio::time::sleep(CLOSE_TIMEOUT / 2).await;
            }
            while let Some(Ok(_)) = self.socket.next().await {}
        };
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, closing).await;
    }

    /// Answers a peer that closed, so that it sees a clean close; a broken connection is gone at once.
    pub(super) async fn finish_close(mut self) {
        let answer = async { while let Some(Ok(_)) = self.socket.next().await {} };
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, answer).await;
    }

    fn read(&mut self, message: Option<Result<Message, tungstenite::Error>>) -> Option<Incoming> {
        match message {
            Some(Ok(message)) => {
                self.last_heard = Instant::now();
                match message {
                    Message::Text(text) => Some(Incoming::Text(text)),
                    Message::Binary(_) => Some(Incoming::Binary),
                    Message::Close(_) => Some(Incoming::Gone),
                    // tungstenite answers pings.
                    Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => None,
                }
            }
            Some(Err(cause)) => Some(fault(cause)),
            None => Some(Incoming::Gone),
        }
    }

    /// The timer fired: ends a silent connection, or pings an idle one and resets the timer.
    async fn check_silence(&mut self) -> Option<Incoming> {
        let now = Instant::now();
        let silent = now.duration_since(self.last_heard);
        if silent >= self.timeouts.silence {
            return Some(Incoming::Fault(CloseCode::Silent));
        }
        // A peer that begins a message and never completes it is silent, however many pings come in between. A message
        // that begins after this look is found by the next, which is sooner than its time is up.
        let incomplete = self.socket.get_ref().incomplete_since().map(|since| since + self.timeouts.silence);
        if incomplete.is_some_and(|end| now >= end) {
            return Some(Incoming::Fault(CloseCode::Silent));
        }
        let at_most = |time: Instant| incomplete.map_or(time, |end| time.min(end));
        if silent < self.timeouts.ping {
            self.timer.reset(at_most(self.last_heard + self.timeouts.ping));
            return None;
        }
        self.timer.reset(at_most((now + self.timeouts.ping).min(self.last_heard + self.timeouts.silence)));
        let ping = self.socket.send(Message::Ping(Bytes::new()));
        match tokio::time::timeout(self.timeouts.ping, ping).await {
            Ok(Ok(())) => Some(Incoming::Idle),
            Ok(Err(_)) | Err(_) => Some(Incoming::Gone),
        }
    }
}

/// Waits until the peer has taken something. A peer that takes nothing for too long counts as silent.
async fn taken(
    timeouts: Timeouts,
    mut writes: impl Future<Output = Result<(), tungstenite::Error>> + Unpin,
) -> Result<(), Gone> {
    // Nearly always ready at once, and then a timer is not worth its cost.
    if let Poll::Ready(taken) = futures_util::poll!(&mut writes) {
        return taken.map_err(|_| Gone);
    }
    // Boxed: room for it in each connection's future is a tenth of what an idle connection takes.
    match Box::pin(tokio::time::timeout(timeouts.silence, writes)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Gone),
    }
}

fn fault(cause: tungstenite::Error) -> Incoming {
    match cause {
        tungstenite::Error::Capacity(_) => Incoming::Fault(CloseCode::TooLarge),
        tungstenite::Error::Io(cause) if is_too_large(&cause) => Incoming::Fault(CloseCode::TooLarge),
        tungstenite::Error::Utf8(_) => Incoming::Fault(CloseCode::NotUtf8),
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Incoming::Gone,
        tungstenite::Error::Protocol(_) => Incoming::Fault(CloseCode::Malformed),
        _ => Incoming::Gone,
    }
}

fn is_too_large(cause: &std::io::Error) -> bool {
    let Some(cause) = cause.get_ref() else { return false };
    cause.is::<TooLarge>()
}

fn json(message: &impl Serialize) -> Utf8Bytes {
    serde_json::to_string(message).expect("messages are plain JSON").into()
}
