//! One WebSocket with the contract's clock: pings when idle, an end to silence, and a close that arrives.

use std::pin::pin;
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
use super::readiness::{Alarm, Bell, Bells};
use super::upgrade::Socket;
use crate::config::Timeouts;

/// Patience with a peer that was told goodbye: its answer lets the close frame arrive before the connection
/// goes, which a reset would drop.
const GOODBYE: Duration = Duration::from_secs(2);

pub(super) struct Wire {
    /// Boxed, as it is large and handed from state to state, each of which would keep room for it.
    socket: Box<Socket>,
    timeouts: Timeouts,
    /// When the peer last said anything.
    heard: Instant,
    /// All that wakes the connection's task hangs here.
    bells: Bells,
    /// Rung by the socket that can be read.
    bell: Bell,
    /// Not set anew with each message, which would cost more than the message; it is looked at when it rings.
    alarm: Alarm,
}

/// What rang.
enum Rung {
    Message(Option<Result<Message, tungstenite::Error>>),
    Alarm,
}

/// What a peer says.
#[derive(Debug)]
pub(super) enum Incoming {
    Text(Utf8Bytes),
    Binary,
    /// Nothing for a while, so the peer was asked for a sign of life.
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
        let (heard, bells) = (Instant::now(), Bells::new());
        let (bell, alarm) = (bells.hang(), bells.alarm(heard + timeouts.ping));
        Self { socket, timeouts, heard, bells, bell, alarm }
    }

    pub(super) fn bells(&self) -> &Bells {
        &self.bells
    }

    /// When the peer last said anything.
    pub(super) fn heard(&self) -> Instant {
        self.heard
    }

    /// The next message. Can be dropped and called again without loss.
    pub(super) async fn next(&mut self) -> Incoming {
        loop {
            let Self { socket, alarm, bell, .. } = self;
            let rung =
                std::future::poll_fn(|task| match bell.poll(task, |task| socket.poll_next_unpin(task)) {
                    Poll::Ready(message) => Poll::Ready(Rung::Message(message)),
                    Poll::Pending => alarm.poll(task).map(|()| Rung::Alarm),
                });
            let incoming = match rung.await {
                Rung::Message(message) => self.read(message),
                Rung::Alarm => self.ring().await,
            };
            if let Some(incoming) = incoming {
                return incoming;
            }
        }
    }

    /// A message that is already here, if there is one.
    pub(super) fn next_now(&mut self) -> Option<Incoming> {
        loop {
            let Self { socket, bell, .. } = self;
            let Poll::Ready(message) = bell.poll_now(|task| socket.poll_next_unpin(task)) else {
                return None;
            };
            if let Some(incoming) = self.read(message) {
                return Some(incoming);
            }
        }
    }

    /// The peer was not listened to for a while: its silence begins now.
    pub(super) fn listen_again(&mut self) {
        self.heard = Instant::now();
    }

    /// Sends one message and lets it leave.
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

    /// Lets what is queued leave.
    pub(super) async fn flush(&mut self) -> Result<(), Gone> {
        taken(self.timeouts, self.socket.flush()).await
    }

    /// Says goodbye and waits, briefly, for the answer.
    pub(super) async fn close(mut self, code: CloseCode) {
        tracing::debug!(code = code.code(), reason = code.reason(), "closing");
        let frame = CloseFrame { code: code.code().into(), reason: code.reason().into() };
        let goodbye = async {
            if self.socket.send(Message::Close(Some(frame))).await.is_err() {
                return;
            }
            if matches!(code, CloseCode::TooLarge | CloseCode::NotUtf8) {
                // The library reads no further after such a message, so the answer cannot be seen; leaving
                // at once would reset the connection under the close frame.
                tokio::time::sleep(GOODBYE / 2).await;
            }
            while let Some(Ok(_)) = self.socket.next().await {}
        };
        let _ = tokio::time::timeout(GOODBYE, goodbye).await;
    }

    /// Answers a peer that closed, so that it sees a clean end; one that broke off is gone at once.
    pub(super) async fn take_leave(mut self) {
        let answer = async { while let Some(Ok(_)) = self.socket.next().await {} };
        let _ = tokio::time::timeout(GOODBYE, answer).await;
    }

    fn read(&mut self, message: Option<Result<Message, tungstenite::Error>>) -> Option<Incoming> {
        match message {
            Some(Ok(message)) => {
                self.heard = Instant::now();
                match message {
                    Message::Text(text) => Some(Incoming::Text(text)),
                    Message::Binary(_) => Some(Incoming::Binary),
                    Message::Close(_) => Some(Incoming::Gone),
                    // The library answers pings by itself.
                    Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => None,
                }
            }
            Some(Err(cause)) => Some(fault(cause)),
            None => Some(Incoming::Gone),
        }
    }

    /// The alarm rang: end, or set it anew and ping where the peer says nothing.
    async fn ring(&mut self) -> Option<Incoming> {
        let now = Instant::now();
        let silent = now.duration_since(self.heard);
        if silent >= self.timeouts.silence {
            return Some(Incoming::Fault(CloseCode::Silent));
        }
        // Whoever begins a message and never ends it says nothing, however many pings come in between. One that begins
        // after this look is found at the next, which is sooner than its time is up.
        let unfinished = self.socket.get_ref().unfinished_since().map(|since| since + self.timeouts.silence);
        if unfinished.is_some_and(|end| now >= end) {
            return Some(Incoming::Fault(CloseCode::Silent));
        }
        let at_most = |time: Instant| unfinished.map_or(time, |end| time.min(end));
        if silent < self.timeouts.ping {
            self.alarm.set(at_most(self.heard + self.timeouts.ping));
            return None;
        }
        self.alarm.set(at_most((now + self.timeouts.ping).min(self.heard + self.timeouts.silence)));
        let ping = self.socket.send(Message::Ping(Bytes::new()));
        match tokio::time::timeout(self.timeouts.ping, ping).await {
            Ok(Ok(())) => Some(Incoming::Idle),
            Ok(Err(_)) | Err(_) => Some(Incoming::Gone),
        }
    }
}

/// Waits until the peer has taken something. One that takes nothing for so long is as good as silent.
async fn taken(
    timeouts: Timeouts,
    writes: impl Future<Output = Result<(), tungstenite::Error>>,
) -> Result<(), Gone> {
    let mut writes = pin!(writes);
    // Nearly always at once, and then no clock is worth its cost.
    if let Poll::Ready(taken) = futures_util::poll!(writes.as_mut()) {
        return taken.map_err(|_| Gone);
    }
    match tokio::time::timeout(timeouts.silence, writes).await {
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
