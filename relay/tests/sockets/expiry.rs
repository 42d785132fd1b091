//! Sockets end with the tokens that opened them.

use mien_relay::auth::{Caller, Grant};
use mien_servers::Redis;
use mien_shared::{Role, SessionId};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::replicas::pair::pair;
use mien_in_process::client::Client;
use mien_in_process::{FUTURE, Relay, patiently};

/// A capability that ends at this second.
fn ending(relay: &Relay, session: SessionId, role: Role, exp: u64) -> String {
    let grant = Grant { session, role, source: "main".parse().unwrap() };
    relay.state.tokens.sign(&Caller { user: "alice".into(), grant: Some(grant) }, exp)
}

async fn enter(relay: &Relay, session: SessionId, kind: &str, token: &str) -> Client {
    let mut client = relay.connect(session, kind).await;
    client.say(&json!({"type": "hello", "token": token})).await;
    client.hear_type("welcome").await;
    client
}

fn soon() -> u64 {
    u64::try_from(mien_relay::clock::now().as_second()).unwrap() + 2
}

#[tokio::test]
async fn at_its_end_a_token_closes_what_it_opened_and_all_that_was_taken_is_acked() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let end = soon();
    let mut source = enter(&relay, session, "ingest", &ending(&relay, session, Role::Ingest, end)).await;
    let mut watcher = enter(&relay, session, "watch", &ending(&relay, session, Role::Watch, end)).await;
    // A store that is slow: what it took is on the way when its token ends.
    let blocked = relay.block_commits().await;
    source.send(1..=50).await;
    // It hears who is connected now and then, so it would listen for ever.
    assert_eq!(patiently(watcher.close_code()).await, 4401);
    blocked.unblock().await;
    let (code, before) = patiently(source.closed()).await;
    assert_eq!(code, 4401);
    assert_eq!(before.last().map(|ack| ack["through"].clone()), Some(json!(50)));
    assert_eq!(relay.stored(session).await, (1..=50).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_end_that_no_clock_reaches_is_none() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    for exp in [FUTURE, u64::MAX] {
        let mut source = enter(&relay, session, "ingest", &ending(&relay, session, Role::Ingest, exp)).await;
        let through = exp % 7 + 1;
        source.send([through]).await;
        source.hear_message().await;
        source.leave().await;
        enter(&relay, session, "watch", &ending(&relay, session, Role::Watch, exp)).await;
    }
}

/// The status that the call is answered with.
async fn revoke(relay: &Relay, session: SessionId, token: &str, body: &Value) -> u16 {
    let mut stream = TcpStream::connect(relay.address).await.unwrap();
    let body = body.to_string();
    let request = format!(
        "POST /api/v1/sessions/{session}/revoke HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        relay.address,
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    patiently(stream.read_to_string(&mut answer)).await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn what_is_revoked_closes_what_it_opened_and_opens_nothing() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let owner = relay.token(session, Role::Owner);
    let [ingest, watch] = [Role::Ingest, Role::Watch].map(|role| relay.token(session, role));
    let mut source = enter(&relay, session, "ingest", &ingest).await;
    let mut watcher = enter(&relay, session, "watch", &watch).await;
    let mut mine = enter(&relay, session, "watch", &owner).await;
    source.send(1..=20).await;
    assert_eq!(revoke(&relay, session, &owner, &json!({})).await, 204);
    let (code, before) = source.closed().await;
    assert_eq!(code, 4401);
    let acked = before.last().map_or(0, |ack| ack["through"].as_u64().unwrap());
    assert_eq!(relay.stored(session).await, (1..=acked).collect::<Vec<_>>(), "what was taken was acked");
    assert_eq!(watcher.close_code().await, 4401);
    for (kind, token) in [("ingest", &ingest), ("watch", &watch)] {
        let mut again = relay.connect(session, kind).await;
        again.say(&json!({"type": "hello", "token": token})).await;
        assert_eq!(again.close_code().await, 4401, "{kind}");
    }
    // The one that asked for it stays, and so does what is given out from now on.
    mine.say(&json!({"type": "hello", "token": ""})).await;
    while mine.hear_message().await["type"] != "error" {}
    let (_source, welcome) = relay.ingest(session).await;
    assert_eq!(welcome["through"], acked);
}

#[tokio::test]
async fn a_revocation_reaches_the_other_relay() {
    let Some(redis) = Redis::if_present() else { return };
    let (one, two) = pair(&redis).await;
    reaches(&one, &two).await;
}

#[tokio::test]
async fn a_revocation_reaches_the_other_relay_without_redis() {
    let one = Relay::start().await;
    if matches!(one.state.store, mien_relay::store::Store::Sqlite(_)) {
        // It belongs to one process, so there is no other.
        return;
    }
    let two = one.beside(|_| {}).await;
    reaches(&one, &two).await;
}

async fn reaches(one: &Relay, two: &Relay) {
    let session = one.session().await;
    let owner = one.token(session, Role::Owner);
    let watch = one.token(session, Role::Watch);
    let mut watcher = enter(two, session, "watch", &watch).await;
    let mut source = enter(two, session, "ingest", &one.token(session, Role::Ingest)).await;
    source.send(1..=5).await;
    source.acked(5).await;
    assert_eq!(revoke(one, session, &owner, &json!({})).await, 204);
    assert_eq!(watcher.close_code().await, 4401);
    assert_eq!(source.close_code().await, 4401);
    let mut again = two.connect(session, "watch").await;
    again.say(&json!({"type": "hello", "token": watch})).await;
    assert_eq!(again.close_code().await, 4401);
}
