//! How connections end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::SinkExt;
use mien_relay::auth::Caller;
use mien_shared::api::PatchSession;
use mien_shared::limits::MAX_SOURCES;
use mien_shared::{Role, SessionId, SessionStatus};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame, coding::Data, coding::OpCode};

use mien_in_process::samples::samples;
use mien_in_process::{FUTURE, Relay, patiently};
use mien_kit::socket::request;

fn hello(token: &str) -> Value {
    json!({"type": "hello", "token": token})
}

/// The close code that follows this first message.
async fn first(relay: &Relay, session: SessionId, kind: &str, message: &Value) -> u16 {
    let mut client = relay.connect(session, kind).await;
    client.say(message).await;
    client.close_code().await
}

#[tokio::test]
async fn what_is_no_hello_is_malformed() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    for kind in ["ingest", "watch"] {
        assert_eq!(first(&relay, session, kind, &samples([1])).await, 4400);
        assert_eq!(first(&relay, session, kind, &json!(7)).await, 4400);
        let mut client = relay.connect(session, kind).await;
        client.say_binary().await;
        assert_eq!(client.close_code().await, 4400);
    }
}

#[tokio::test]
async fn no_hello_in_time() {
    let relay = Relay::start_changed(&[], |config| config.timeouts.hello = Duration::from_millis(1)).await;
    let session = relay.session().await;
    for kind in ["ingest", "watch"] {
        assert_eq!(relay.connect(session, kind).await.close_code().await, 4408);
    }
}

#[tokio::test]
async fn tokens_are_checked_before_sessions() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let nowhere = SessionId(uuid::Uuid::now_v7());
    let user = relay.state.tokens.sign(&Caller { user: "alice".into(), grant: None }, FUTURE);
    for (kind, role, other) in [("ingest", Role::Ingest, Role::Watch), ("watch", Role::Watch, Role::Ingest)] {
        let token = relay.token(session, role);
        let expired = relay.state.tokens.sign(&relay.state.tokens.read(&token).unwrap(), 1);
        let cases = [
            (session, json!({"type": "hello"}), 4401),
            (session, hello(""), 4401),
            (session, hello("x.y.z"), 4401),
            (session, hello(&expired), 4401),
            (nowhere, hello(&expired), 4401),
            (session, hello(&user), 4403),
            (session, hello(&relay.token(session, other)), 4403),
            (session, hello(&relay.token(relay.session().await, role)), 4403),
            (nowhere, hello(&token), 4403),
            (nowhere, hello(&relay.token(nowhere, role)), 4404),
        ];
        for (place, message, code) in cases {
            assert_eq!(first(&relay, place, kind, &message).await, code, "{kind} {message}");
        }
        let mut owner = relay.connect(session, kind).await;
        owner.say(&hello(&relay.token(session, Role::Owner))).await;
        owner.hear_type("welcome").await;
    }
}

#[tokio::test]
async fn a_session_that_is_over_takes_no_source() {
    let relay = Relay::start().await;
    let (done, gone) = (relay.session().await, relay.session().await);
    let patch = PatchSession { title: None, status: Some(SessionStatus::Completed) };
    relay.state.update_session(done, &patch).await.unwrap();
    relay.state.erase_session(gone).await.unwrap();
    assert_eq!(first(&relay, done, "ingest", &hello(&relay.token(done, Role::Ingest))).await, 4410);
    for (kind, role) in [("ingest", Role::Ingest), ("watch", Role::Watch)] {
        assert_eq!(first(&relay, gone, kind, &hello(&relay.token(gone, role))).await, 4410);
    }
}

/// Worth another try, unlike a session that is not there.
#[tokio::test]
async fn a_store_that_cannot_be_asked_is_a_relay_at_capacity() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    relay.state.store.close().await;
    for (kind, role) in [("ingest", Role::Ingest), ("watch", Role::Watch)] {
        assert_eq!(first(&relay, session, kind, &hello(&relay.token(session, role))).await, 1013);
    }
}

/// Waiting changes nothing, and the store has done nothing wrong.
#[tokio::test]
async fn one_source_too_many_is_over_the_quota() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    for number in 0..MAX_SOURCES {
        relay.state.store.open_source(session, &format!("s{number}").parse().unwrap()).await.unwrap();
    }
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).finish();
    // For this thread, on which all of this runs.
    let guard = tracing::subscriber::set_default(subscriber);
    let more = hello(&relay.source_token(session, Role::Ingest, "more"));
    assert_eq!(first(&relay, session, "ingest", &more).await, 4413);
    drop(guard);
    let log = log.text();
    assert!(log.contains("INFO") && log.contains("256 sources"), "{log}");
    assert!(!log.contains("store") && !log.contains("WARN"), "{log}");
    let (_source, welcome) = relay.ingest_as(session, "s7").await;
    assert_eq!(welcome["through"], 0, "one that is there already");
}

/// What is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn the_largest_message_is_taken_and_one_byte_more_is_not() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut client, _) = relay.ingest(session).await;
    let mut text = samples([1]).to_string();
    text.push_str(&" ".repeat(131_072 - text.len()));
    client.say_text(&text).await;
    client.acked(1).await;
    text.push(' ');
    client.say_text(&text).await;
    assert_eq!(client.close_code().await, 1009);
}

#[tokio::test]
async fn text_must_be_utf8() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut client, _) = relay.ingest(session).await;
    let frame = Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true);
    client.socket.send(Message::Frame(frame)).await.unwrap();
    assert_eq!(client.close_code().await, 1007);
}

#[tokio::test]
async fn silence_is_pinged_and_then_ended() {
    let relay = Relay::start_changed(&[], |config| {
        config.timeouts.ping = Duration::from_millis(20);
        config.timeouts.silence = Duration::from_millis(60);
    })
    .await;
    let session = relay.session().await;
    // A peer whose library does not answer pings for it.
    let stream = TcpStream::connect(relay.address).await.unwrap();
    let handshake = request(relay.address, &session.to_string(), "watch");
    let (socket, _) = tokio_tungstenite::client_async(handshake, stream).await.unwrap();
    let mut stream = socket.into_inner();
    let text = hello(&relay.token(session, Role::Watch)).to_string();
    let length = u16::try_from(text.len()).unwrap();
    let mut frame = vec![0x81, 0x80 | 0x7e];
    frame.extend(length.to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(text.bytes());
    stream.write_all(&frame).await.unwrap();
    let mut opcodes = Vec::new();
    let code = loop {
        let mut head = [0; 2];
        patiently(stream.read_exact(&mut head)).await.unwrap();
        let length = match head[1] {
            126 => usize::from(stream.read_u16().await.unwrap()),
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).await.unwrap();
        opcodes.push(head[0] & 0x0f);
        if head[0] & 0x0f == 8 {
            break u16::from_be_bytes([payload[0], payload[1]]);
        }
    };
    assert_eq!((code, opcodes.first(), opcodes.last()), (1001, Some(&1), Some(&8)), "welcome and close");
    // As a page sees no pings, it is told who is connected with each.
    let between = &opcodes[1..opcodes.len() - 1];
    assert!(!between.is_empty() && between.chunks(2).all(|pair| pair == [9, 1]), "{opcodes:?}");
}

#[tokio::test]
async fn a_shutdown_acks_what_was_taken_and_says_so() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut client, _) = relay.ingest(session).await;
    let (mut watcher, _) = relay.watch(session, json!({})).await;
    let fresh = relay.connect(session, "watch").await;
    for message in 0..50 {
        client.send(message * 10 + 1..=message * 10 + 10).await;
    }
    let state = relay.state.clone();
    let ((), (code, before), watcher_code) = tokio::join!(
        async {
            relay.state.drain.begin();
            assert!(relay.state.ready().await.is_err());
        },
        client.closed(),
        watcher.close_code(),
    );
    assert_eq!((code, watcher_code), (1012, 1012));
    drop((client, watcher, fresh, state));
    let acked = before.last().map_or(0, |ack| ack["through"].as_u64().unwrap());
    let relay = relay.restart().await;
    assert_eq!(relay.stored(session).await, (1..=acked).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_client_that_closes_is_answered_and_what_it_sent_is_stored() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut source, _) = relay.ingest(session).await;
    source.send(1..=3).await;
    let (mut watcher, _) = relay.watch(session, json!({})).await;
    for client in [&mut source, &mut watcher] {
        let frame = CloseFrame { code: 1000.into(), reason: "done".into() };
        client.socket.close(Some(frame)).await.unwrap();
        assert_eq!(client.close_code().await, 1000, "a browser would otherwise report 1006");
    }
    assert_eq!(relay.stored(session).await, [1, 2, 3]);
}
