//! How many sockets one may have open, and how long a message may be under way.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use mien_shared::{Role, SessionId};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, coding::Data, coding::OpCode};

use mien_in_process::client::{Client, Heard};
use mien_in_process::{Relay, patiently, until};

/// What a connection with this token hears first: the type of a message, or a close code.
async fn enter(relay: &Relay, session: SessionId, kind: &str, token: &str) -> (Client, String) {
    let mut client = relay.connect(session, kind).await;
    client.say(&json!({"type": "hello", "token": token})).await;
    let heard = match client.hear().await {
        Heard::Message(message) => message["type"].as_str().unwrap().to_owned(),
        Heard::Closed(code) => code.to_string(),
    };
    (client, heard)
}

#[tokio::test]
async fn one_token_opens_so_many_sockets() {
    let relay = Relay::start_with(&["--max-sockets-per-token", "2"]).await;
    let session = relay.session().await;
    let link = relay.token(session, Role::Watch);
    let (first, heard) = enter(&relay, session, "watch", &link).await;
    assert_eq!(heard, "welcome");
    let (_second, heard) = enter(&relay, session, "watch", &link).await;
    assert_eq!(heard, "welcome");
    assert_eq!(enter(&relay, session, "watch", &link).await.1, "4413");
    // Another one of the same session is not concerned.
    let (_other, heard) = enter(&relay, session, "watch", &relay.token(session, Role::Watch)).await;
    assert_eq!(heard, "welcome");
    first.leave().await;
    until(async || enter(&relay, session, "watch", &link).await.1 == "welcome").await;
}

#[tokio::test]
async fn one_session_and_one_user_have_so_many_sockets() {
    let flags = ["--max-sockets-per-session", "2", "--max-sockets-per-user", "3"];
    let relay = Relay::start_with(&flags).await;
    let sessions = [relay.session().await, relay.session().await];
    let mut open = Vec::new();
    for (session, expected) in [(0, "welcome"), (0, "welcome"), (0, "4413"), (1, "welcome"), (1, "4413")] {
        let session = sessions[session];
        let (client, heard) = enter(&relay, session, "watch", &relay.token(session, Role::Watch)).await;
        assert_eq!(heard, expected);
        open.push(client);
    }
}

/// A recorder that lost its line comes back before the relay knows that it went.
#[tokio::test]
async fn a_source_takes_over_from_itself_at_any_limit() {
    let flags =
        ["--max-sockets-per-token", "1", "--max-sockets-per-session", "1", "--max-sockets-per-user", "1"];
    let relay = Relay::start_with(&flags).await;
    let session = relay.session().await;
    let token = relay.token(session, Role::Ingest);
    let (mut before, heard) = enter(&relay, session, "ingest", &token).await;
    assert_eq!(heard, "welcome");
    for _ in 0..5 {
        let (next, heard) = enter(&relay, session, "ingest", &token).await;
        assert_eq!(heard, "welcome");
        assert_eq!(before.close_code().await, 4409);
        before = next;
    }
    let other = relay.source_token(session, Role::Ingest, "other");
    assert_eq!(enter(&relay, session, "ingest", &other).await.1, "4413");
}

#[tokio::test]
async fn a_message_that_never_ends_is_silence_whatever_is_pinged() {
    let relay = Relay::start_changed(&[], |config| {
        config.timeouts.ping = Duration::from_millis(20);
        config.timeouts.silence = Duration::from_millis(100);
    })
    .await;
    let session = relay.session().await;
    let (source, _) = relay.ingest(session).await;
    let (watcher, _) = relay.watch(session, json!({})).await;
    for client in [source, watcher] {
        let (mut to, mut from) = client.socket.split();
        let begun = Frame::message(vec![b'{'; 10], OpCode::Data(Data::Text), false);
        to.send(Message::Frame(begun)).await.unwrap();
        let ping = async {
            while to.send(Message::Ping(Vec::new().into())).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            std::future::pending::<()>().await;
        };
        let closed = async {
            loop {
                match from.next().await {
                    Some(Ok(Message::Close(Some(frame)))) => return u16::from(frame.code),
                    Some(Ok(_)) => {}
                    other => panic!("{other:?}"),
                }
            }
        };
        let code = patiently(async {
            tokio::select! {
                code = closed => code,
                () = ping => 0,
            }
        });
        assert_eq!(code.await, 1001);
    }
}
