//! A client of the sockets, which checks each message against the AsyncAPI document.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use mien_kit::http::get;
use mien_kit::socket::{Socket, open, request};
use mien_shared::SessionId;
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio_tungstenite::tungstenite::http::{Request, Response};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::document::Document;
use crate::samples::samples;
use crate::wait::patiently;

/// What a client receives.
#[derive(Debug, PartialEq)]
pub enum Heard {
    Message(Value),
    Closed(u16),
}

#[derive(Debug)]
pub struct Client {
    pub socket: Socket,
    /// Kind of the socket: `ingest` or `watch`.
    kind: String,
    document: &'static Document,
}

impl Client {
    pub async fn connect(address: SocketAddr, session: SessionId, kind: &str) -> Self {
        Self::upgrade(address, request(address, &session.to_string(), kind)).await.0
    }

    /// Opens a connection with this request; also returns what the relay answered.
    pub async fn upgrade(address: SocketAddr, request: Request<()>) -> (Self, Response<()>) {
        let document = document(address).await;
        let kind = request.uri().path().rsplit('/').next().unwrap().to_owned();
        let (socket, response) = patiently(open(address, request, None)).await.unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], "mien.v1");
        (Self { socket, kind, document }, response)
    }

    pub async fn say(&mut self, message: &Value) {
        self.say_text(&message.to_string()).await;
    }

    pub async fn say_text(&mut self, text: &str) {
        patiently(self.socket.send(Message::text(text))).await.unwrap();
    }

    pub async fn say_binary(&mut self) {
        patiently(self.socket.send(Message::binary(vec![1, 2, 3]))).await.unwrap();
    }

    pub async fn send(&mut self, seqs: impl IntoIterator<Item = u64>) {
        let message = samples(seqs);
        // A watcher has nothing to send, but a test may do so all the same.
        if self.kind == "ingest" {
            check(self.document, &self.kind, "Request", &message);
        }
        self.say(&message).await;
    }

    /// In messages of a hundred samples.
    pub async fn send_in_parts(&mut self, seqs: std::ops::RangeInclusive<u64>) {
        for first in seqs.clone().step_by(100) {
            self.send(first..=(first + 99).min(*seqs.end())).await;
        }
    }

    pub async fn hear(&mut self) -> Heard {
        loop {
            match patiently(self.socket.next()).await {
                Some(Ok(Message::Text(text))) => {
                    let message = serde_json::from_str(&text).unwrap();
                    check(self.document, &self.kind, "Reply", &message);
                    return Heard::Message(message);
                }
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.map_or(1005, |frame| frame.code.into());
                    self.check_close(code);
                    return Heard::Closed(code);
                }
                Some(Ok(_)) => {}
                Some(Err(Error::ConnectionClosed)) | None => return Heard::Closed(1006),
                Some(Err(cause)) => panic!("{cause}"),
            }
        }
    }

    fn check_close(&self, code: u16) {
        let codes = self.document.value["x-close-codes"].as_array().unwrap();
        // 1005 is a close without a code: the reply to one.
        assert!(code == 1005 || codes.iter().any(|close| close["code"] == code), "{code} is not documented");
    }

    pub async fn hear_message(&mut self) -> Value {
        match self.hear().await {
            Heard::Message(message) => message,
            Heard::Closed(code) => panic!("closed with {code}"),
        }
    }

    /// The next message, which must be of this type.
    pub async fn hear_type(&mut self, kind: &str) -> Value {
        let message = self.hear_message().await;
        assert_eq!(message["type"], kind, "{message}");
        message
    }

    /// Reads acks until one covers `through`; nothing else may come.
    pub async fn acked(&mut self, through: u64) {
        let mut last = 0;
        while last < through {
            let ack = self.hear_type("ack").await["through"].as_u64().unwrap();
            assert!(ack >= last, "an ack never goes back");
            last = ack;
        }
        assert_eq!(last, through);
    }

    /// The close code, and what came before it.
    pub async fn closed(&mut self) -> (u16, Vec<Value>) {
        let mut messages = Vec::new();
        loop {
            match self.hear().await {
                Heard::Message(message) => messages.push(message),
                Heard::Closed(code) => return (code, messages),
            }
        }
    }

    pub async fn close_code(&mut self) -> u16 {
        self.closed().await.0
    }

    /// Reads a watcher's messages until `main` has been seen up to `last`; returns the seqs in order.
    pub async fn watched(&mut self, last: u64) -> Vec<u64> {
        let mut seqs = Vec::new();
        while seqs.last() != Some(&last) {
            let message = self.hear_message().await;
            if message["type"] == "samples" {
                assert_eq!(message["source"], "main");
                seqs.extend(
                    message["samples"].as_array().unwrap().iter().map(|s| s["seq"].as_u64().unwrap()),
                );
            }
        }
        seqs
    }

    pub async fn leave(mut self) {
        self.socket.close(None).await.unwrap();
        while let Some(Ok(_)) = patiently(self.socket.next()).await {}
    }
}

/// The AsyncAPI document, as served by the first relay that a client connected to.
pub async fn document(address: SocketAddr) -> &'static Document {
    static DOCUMENT: OnceCell<Document> = OnceCell::const_new();
    let read = async || Document::new(get(address, "/api/v1/asyncapi.json").await.json());
    DOCUMENT.get_or_init(read).await
}

/// Checks a message, a `Request` or `Reply` of this kind of socket, against the contract.
#[track_caller]
fn check(document: &Document, kind: &str, side: &str, message: &Value) {
    let name = format!("{kind}{side}-{}", message["type"].as_str().unwrap_or_default());
    document.check(&format!("/components/messages/{name}/payload"), message);
}
