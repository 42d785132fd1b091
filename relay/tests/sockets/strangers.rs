//! Sockets that have not said hello: they hold little, and keep nobody out.

use futures_util::SinkExt;
use mien_shared::limits::{MAX_HELLO_BYTES, MAX_MESSAGE_BYTES, MAX_PENDING_SOCKETS_PER_ADDRESS};
use mien_shared::{Role, SessionId};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, coding::Data, coding::OpCode};

use mien_in_process::Relay;
use mien_in_process::client::Client;
use mien_in_process::samples::samples;
use mien_kit::socket::request;

/// One who connects and says nothing.
async fn stranger(relay: &Relay, session: SessionId) -> Client {
    relay.connect(session, "watch").await
}

/// One whom a proxy names.
async fn from(relay: &Relay, session: SessionId, address: &str) -> Client {
    let mut request = request(relay.address, &session.to_string(), "watch");
    request.headers_mut().insert("x-forwarded-for", address.parse().unwrap());
    Client::upgrade(relay.address, request).await.0
}

async fn say_hello(relay: &Relay, session: SessionId, client: &mut Client, role: Role) {
    client.say(&json!({"type": "hello", "token": relay.token(session, role)})).await;
}

#[tokio::test]
async fn strangers_take_no_permit_from_those_with_a_token() {
    let relay = Relay::start_with(&["--max-connections", "2"]).await;
    let session = relay.session().await;
    let mut strangers = Vec::new();
    for _ in 0..8 {
        strangers.push(stranger(&relay, session).await);
    }
    let (_source, _) = relay.ingest(session).await;
    let (_watcher, _) = relay.watch(session, Value::Null).await;
    // One that is open already hears it when its token was seen.
    let mut late = strangers.pop().unwrap();
    say_hello(&relay, session, &mut late, Role::Watch).await;
    assert_eq!(late.close_code().await, 1013);
}

/// Also behind one address with them.
#[tokio::test]
async fn who_was_silent_for_longest_makes_room() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let mut strangers = Vec::new();
    for _ in 0..=MAX_PENDING_SOCKETS_PER_ADDRESS {
        strangers.push(stranger(&relay, session).await);
    }
    assert_eq!(strangers[0].close_code().await, 1013);
    let (_watcher, _) = relay.watch(session, Value::Null).await;
}

#[tokio::test]
async fn addresses_that_a_proxy_names_have_their_own_places() {
    let relay = Relay::start_with(&["--auth=token", "--trusted-proxies", "127.0.0.1"]).await;
    let session = relay.session().await;
    let mut strangers = Vec::new();
    for _ in 0..MAX_PENDING_SOCKETS_PER_ADDRESS {
        strangers.push(from(&relay, session, "192.0.2.1").await);
    }
    for number in 2..10 {
        let mut other = from(&relay, session, &format!("192.0.2.1, 192.0.2.{number}")).await;
        say_hello(&relay, session, &mut other, Role::Watch).await;
        other.hear_type("welcome").await;
    }
    for stranger in &mut strangers {
        say_hello(&relay, session, stranger, Role::Watch).await;
    }
    for stranger in &mut strangers {
        while stranger.hear_message().await["type"] != "welcome" {}
    }
}

#[tokio::test]
async fn a_crowd_behind_one_address_takes_turns() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let crowd = (0..400).map(|_| relay.watch(session, Value::Null));
    assert_eq!(futures_util::future::join_all(crowd).await.len(), 400);
}

#[tokio::test]
async fn the_first_message_is_small() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    for kind in ["ingest", "watch"] {
        for (bytes, code) in [(MAX_HELLO_BYTES, 4401), (MAX_HELLO_BYTES + 1, 1009), (MAX_MESSAGE_BYTES, 1009)]
        {
            let mut client = relay.connect(session, kind).await;
            let mut text = r#"{"type":"hello","token":"x"}"#.to_owned();
            text.push_str(&" ".repeat(bytes - text.len()));
            client.say_text(&text).await;
            assert_eq!(client.close_code().await, code, "{kind} {bytes}");
        }
        let mut client = relay.connect(session, kind).await;
        for opcode in [Data::Text, Data::Continue] {
            let frame = Frame::message(vec![b' '; MAX_HELLO_BYTES - 10], OpCode::Data(opcode), false);
            client.socket.send(Message::Frame(frame)).await.unwrap();
        }
        assert_eq!(client.close_code().await, 1009, "{kind}, in parts");
    }
}

/// Nobody need wait for the welcome.
#[tokio::test]
async fn a_large_message_right_behind_the_hello_is_taken() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let mut client = relay.connect(session, "ingest").await;
    let hello = json!({"type": "hello", "token": relay.token(session, Role::Ingest)}).to_string();
    let mut text = samples([1]).to_string();
    text.push_str(&" ".repeat(MAX_MESSAGE_BYTES - text.len()));
    client.socket.feed(Message::text(hello)).await.unwrap();
    client.socket.feed(Message::text(text)).await.unwrap();
    client.socket.flush().await.unwrap();
    client.hear_type("welcome").await;
    client.acked(1).await;
}
