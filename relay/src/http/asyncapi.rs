//! The AsyncAPI document: both WebSockets, made from their message types.
//!
//! The schemas come from `mien-shared`'s types, the examples are values of those types written by the same
//! code that writes them on the wire, the codes are the lists that the relay itself uses.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bytes::Bytes;
use mien_shared::limits::{
    HELLO_TIMEOUT, MAX_BATCH, MAX_ERRORS, MAX_HELLO_BYTES, MAX_MESSAGE_BYTES, PING_EVERY, SILENCE,
};
use mien_shared::problem::CloseCode;
use mien_shared::protocol::{
    IngestLimits, IngestReply, IngestRequest, IngestWelcome, SUBPROTOCOL, WatchReply, WatchRequest,
    WatchWelcome,
};
use mien_shared::{
    Code, Coefficients, Expression, Face, FaceLandmarks, QualityReason, Sample, Scores, SessionId,
    SessionStatus, SourceName, schema,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The document as text.
pub(super) static TEXT: LazyLock<Bytes> = LazyLock::new(|| document().to_string().into());

const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.…";
const NOW: u64 = 1_763_907_600_123;

fn document() -> Value {
    let ingest_requests =
        requests(&[IngestRequest::Hello { token: TOKEN }, IngestRequest::Samples { samples: &[sample(1)] }]);
    let since = BTreeMap::from([(SourceName::default(), 1_234)]);
    let watch_requests = requests(&[WatchRequest::Hello { token: TOKEN, since: Some(&since) }]);
    let sockets = [
        Socket {
            name: "ingest",
            about: "A source sends samples and is told which are durable. Token: role `ingest` or `owner`.",
            requests: ingest_requests,
            replies: replies(&ingest_replies()),
        },
        Socket {
            name: "watch",
            about: "A watcher is sent committed samples, each once and in order. Token: role `watch` or `owner`.",
            requests: watch_requests,
            replies: replies(&watch_replies()),
        },
    ];
    let close_codes: Vec<Value> =
        CloseCode::ALL.iter().map(|close| json!({"code": close.code(), "reason": close.reason()})).collect();
    let codes: Vec<Value> =
        Code::ALL.iter().map(|code| json!({"code": code.name(), "title": code.title()})).collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Mien relay, WebSockets",
            "version": env!("CARGO_PKG_VERSION"),
            "description": format!(
                "Text frames, one JSON object each, told apart by `type`; subprotocol `{SUBPROTOCOL}`; at most \
                 {MAX_MESSAGE_BYTES} bytes a message, {MAX_HELLO_BYTES} the first one and whatever a watcher says. The \
                 first message is `hello`, within {} s; where many connections of one address have not said it, the \
                 oldest of them are closed with 1013 after a second, and new ones wait. No token ever stands in a \
                 URL; when a token ends, or is revoked, so does its connection, with 4401. A user, a session and a \
                 token have so many connections, and one more is closed with 4413. The relay pings an idle \
                 connection every {} s and ends one that has been silent for {} s, which it is also while a message \
                 has begun and is not whole. {MAX_ERRORS} `error` answers end a connection. Unknown fields are \
                 ignored.",
                HELLO_TIMEOUT.as_secs(), PING_EVERY.as_secs(), SILENCE.as_secs(),
            ),
        },
        "defaultContentType": "application/json",
        "servers": {"local": {"host": "127.0.0.1:8080", "protocol": "ws", "description": "A relay as it starts by default"}},
        "channels": sockets.iter().map(|socket| (socket.name.to_owned(), socket.channel())).collect::<Map<_, _>>(),
        "operations": sockets.iter().flat_map(Socket::operations).collect::<Map<_, _>>(),
        "components": {
            "messages": sockets.iter().flat_map(Socket::messages).collect::<Map<_, _>>(),
            "schemas": schemas(),
        },
        "x-close-codes": close_codes,
        "x-error-codes": codes,
    })
}

/// One of the two sockets; each message is its `type` and an example.
struct Socket {
    name: &'static str,
    about: &'static str,
    requests: Vec<(String, Value)>,
    replies: Vec<(String, Value)>,
}

impl Socket {
    fn channel(&self) -> Value {
        let messages: Map<_, _> = self
            .messages()
            .map(|(name, _)| (name.clone(), json!({"$ref": format!("#/components/messages/{name}")})))
            .collect();
        json!({
            "address": format!("/api/v1/sessions/{{id}}/{}", self.name),
            "description": self.about,
            "parameters": {"id": {"description": "The session, a UUID"}},
            "messages": messages,
            "bindings": {"ws": {"method": "GET", "headers": {
                "type": "object",
                "required": ["Sec-WebSocket-Protocol"],
                "properties": {"Sec-WebSocket-Protocol": {"type": "string", "const": SUBPROTOCOL}},
            }}},
        })
    }

    /// As the relay sees it: it receives requests and sends replies.
    fn operations(&self) -> [(String, Value); 2] {
        let operation = |action: &str, side: &str, messages: &[(String, Value)]| {
            let channel = format!("#/channels/{}", self.name);
            let messages: Vec<Value> = messages
                .iter()
                .map(|(kind, _)| json!({"$ref": format!("{channel}/messages/{}", self.message_name(side, kind))}))
                .collect();
            json!({"action": action, "channel": {"$ref": channel}, "messages": messages})
        };
        [
            (format!("{}Receive", self.name), operation("receive", "Request", &self.requests)),
            (format!("{}Send", self.name), operation("send", "Reply", &self.replies)),
        ]
    }

    fn message_name(&self, side: &str, kind: &str) -> String {
        format!("{}{side}-{kind}", self.name)
    }

    fn messages(&self) -> impl Iterator<Item = (String, Value)> {
        let side = |side: &'static str, messages: &[(String, Value)]| -> Vec<(String, Value)> {
            messages
                .iter()
                .map(|(kind, example)| {
                    let name = self.message_name(side, kind);
                    let schema = format!("{}{}{side}", self.name[..1].to_uppercase(), &self.name[1..]);
                    let message = json!({
                        "name": kind,
                        "payload": {"allOf": [
                            {"$ref": format!("#/components/schemas/{schema}")},
                            {"type": "object", "required": ["type"], "properties": {"type": {"const": kind}}},
                        ]},
                        "examples": [{"name": kind, "payload": example}],
                    });
                    (name, message)
                })
                .collect()
        };
        side("Request", &self.requests).into_iter().chain(side("Reply", &self.replies))
    }
}

/// Pairs each message with its `type`.
fn requests<T: Serialize>(messages: &[T]) -> Vec<(String, Value)> {
    messages
        .iter()
        .map(|message| {
            let value = serde_json::to_value(message).unwrap_or_default();
            (value["type"].as_str().unwrap_or_default().to_owned(), value)
        })
        .collect()
}

fn replies<T: Serialize>(messages: &[T]) -> Vec<(String, Value)> {
    requests(messages)
}

fn sample(seq: u64) -> Sample {
    let scores = Scores([0.05, 0.91, 0.01, 0.01, 0.01, 0.0, 0.01]);
    let mut moved = [f32::NAN; Coefficients::COUNT];
    (moved[44], moved[45]) = (0.75, 0.71);
    let landmarks = FaceLandmarks {
        yaw: Some(-12.5),
        pitch: Some(3.0),
        roll: Some(0.5),
        blink_left: Some(0.05),
        blink_right: Some(0.04),
        gaze: Some([-4.0, 2.5]),
        coefficients: Coefficients::new(&moved),
    };
    let face = Face {
        quality: Some(0.93),
        valence: Some(scores.valence()),
        neutral: Some(24),
        why: vec![QualityReason::Turned],
        landmarks: Some(Box::new(landmarks)),
        ..Face::new(1, [0.31, 0.22, 0.18, 0.24].into(), Some(Expression::Happiness), scores)
    };
    Sample::new(seq, NOW, vec![face])
}

const SESSION: SessionId = SessionId(Uuid::from_u128(0x019a_b1f2_7c10_7d3e_8f00_1234_5678_9abc));

fn ingest_replies() -> Vec<IngestReply> {
    vec![
        IngestReply::Welcome(IngestWelcome {
            session: SESSION,
            source: SourceName::default(),
            through: 0,
            expressions: Expression::ALL.to_vec(),
            server_time: NOW,
            limits: IngestLimits::new(200, 2_000),
        }),
        IngestReply::Ack { through: 1 },
        IngestReply::Reject {
            seq: 2,
            code: Code::InvalidSample,
            detail: "faces[0].scores[3] is not a number in 0 … 1".into(),
        },
        IngestReply::Throttle { from: 3, retry_after_ms: 250 },
        IngestReply::Error {
            code: Code::TooManySamples,
            detail: format!("300 samples; at most {MAX_BATCH}"),
        },
    ]
}

fn watch_replies() -> Vec<WatchReply> {
    vec![
        WatchReply::Welcome(WatchWelcome {
            session: SESSION,
            status: SessionStatus::Active,
            expressions: Expression::ALL.to_vec(),
            sources: vec![SourceName::default()],
            watchers: 1,
            throughs: Some(BTreeMap::from([(SourceName::default(), 1_235)])),
        }),
        WatchReply::Samples { source: SourceName::default(), samples: vec![sample(1_235)] },
        WatchReply::Presence { sources: vec![SourceName::default()], watchers: 2 },
        WatchReply::Session { status: SessionStatus::Completed },
        WatchReply::Error { code: Code::HelloRepeated, detail: Code::HelloRepeated.title().into() },
    ]
}

/// The schemas of all messages and of what they are made of.
fn schemas() -> Value {
    let mut all = Vec::new();
    schema::add::<IngestRequest<'_>>(&mut all);
    schema::add::<IngestReply>(&mut all);
    schema::add::<WatchRequest<'_>>(&mut all);
    schema::add::<WatchReply>(&mut all);
    all.into_iter()
        .map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default()))
        .collect::<Map<_, _>>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mien_shared::protocol::{IngestMessage, read_ingest, read_watch};

    fn examples(document: &Value, prefix: &str) -> Vec<String> {
        let messages = document["components"]["messages"].as_object().unwrap();
        let examples: Vec<String> = messages
            .iter()
            .filter(|(name, _)| name.starts_with(prefix))
            .map(|(_, message)| message["examples"][0]["payload"].to_string())
            .collect();
        assert!(!examples.is_empty());
        examples
    }

    #[test]
    fn each_example_is_a_message_that_the_code_takes() {
        let document = document();
        for text in examples(&document, "ingestRequest") {
            if let IngestMessage::Samples(samples) = read_ingest(&text).unwrap() {
                assert!(samples.iter().all(Result::is_ok));
            }
        }
        for text in examples(&document, "watchRequest") {
            assert!(read_watch(&text).unwrap().since.is_some());
        }
        for text in examples(&document, "ingestReply") {
            serde_json::from_str::<IngestReply>(&text).unwrap();
        }
        for text in examples(&document, "watchReply") {
            serde_json::from_str::<WatchReply>(&text).unwrap();
        }
    }

    /// Every `type` that a schema knows has a message, so a new variant cannot be forgotten here.
    #[test]
    fn each_variant_of_the_types_has_its_message() {
        let document = document();
        for (schema, prefix) in [
            ("IngestRequest", "ingestRequest-"),
            ("IngestReply", "ingestReply-"),
            ("WatchRequest", "watchRequest-"),
            ("WatchReply", "watchReply-"),
        ] {
            let variants = document["components"]["schemas"][schema]["oneOf"].as_array().unwrap();
            let messages = document["components"]["messages"].as_object().unwrap();
            assert_eq!(
                messages.keys().filter(|name| name.starts_with(prefix)).count(),
                variants.len(),
                "{schema}"
            );
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_code_is_told() {
        let document = document();
        let text = document.to_string();
        for part in text.split("\"$ref\":\"#").skip(1) {
            let pointer = part.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer} is missing");
        }
        assert_eq!(document["x-close-codes"].as_array().unwrap().len(), CloseCode::ALL.len());
        assert_eq!(document["x-error-codes"].as_array().unwrap().len(), Code::ALL.len());
    }
}
