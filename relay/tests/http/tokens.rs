//! Tokens: how long they may live, what opens a session no longer, and what never was one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::StatusCode;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use mien_relay::auth::{Caller, TokenKey};
use mien_shared::api::{Session, SessionCreated, TokenGrant};
use mien_shared::{Code, SessionId};
use serde_json::{Value, json};

use mien_in_process::{Relay, SECRET};

const DAY: i64 = 86_400;

/// As an embedder makes one.
fn signed(claims: &Value) -> String {
    // It tells the library with what to sign.
    let _relays = TokenKey::new(SECRET.as_bytes());
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
}

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Seconds that a token has left.
fn left(token: &str) -> i64 {
    claims(token)["exp"].as_i64().unwrap() - mien_relay::clock::now().as_second()
}

fn path(id: SessionId, tail: &str) -> String {
    format!("/api/v1/sessions/{id}{tail}")
}

async fn link(relay: &Relay, id: SessionId, token: &str) -> String {
    let answer = relay.post(&path(id, "/tokens"), token, r#"{"role":"watch"}"#).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    answer.json::<TokenGrant>().token
}

#[tokio::test]
async fn one_token_is_taken_back_by_its_name() {
    let relay = Relay::guarded().await;
    let SessionCreated { session, tokens } = relay.create("alice").await;
    let [bad, good] =
        [link(&relay, session.id, &tokens.owner).await, link(&relay, session.id, &tokens.owner).await];
    let (read, revoke) = (path(session.id, ""), path(session.id, "/revoke"));
    assert_eq!(relay.get(&read, &bad).await.status, StatusCode::OK);
    let name = json!({"jti": claims(&bad)["jti"]}).to_string();
    relay.post(&revoke, &tokens.watch, &name).await.is_problem(Code::Forbidden);
    relay.post(&revoke, &relay.user("bob"), &name).await.is_problem(Code::Forbidden);
    let answer = relay.post(&revoke, &tokens.owner, &name).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::NO_CONTENT, 0));
    let refused = relay.get(&read, &bad).await;
    refused.is_problem(Code::Unauthorized);
    assert!(refused.header("www-authenticate").starts_with("Bearer"));
    for token in [&good, &tokens.watch, &tokens.owner, &relay.user("alice")] {
        assert_eq!(relay.get(&read, token).await.status, StatusCode::OK);
    }
    for (body, code) in [
        (r#"{"jti":null}"#, Code::Malformed),
        (r#"{"jti":7}"#, Code::Malformed),
        (r#"{"jti":""}"#, Code::Invalid),
        (r#"{"jti":"a b"}"#, Code::Invalid),
        (&json!({"jti": "x".repeat(129)}).to_string(), Code::Invalid),
    ] {
        relay.post(&revoke, &tokens.owner, body).await.is_problem(code);
    }
    assert_eq!(relay.get(&read, &good).await.status, StatusCode::OK, "none of these meant all");
    // Of another session the same name says nothing.
    let other = relay.create("alice").await;
    let named = signed(&json!({
        "aud": "mien", "sub": "alice", "exp": 4_000_000_000_u64, "sid": other.session.id, "role": "watch",
        "jti": claims(&bad)["jti"],
    }));
    assert_eq!(relay.get(&path(other.session.id, ""), &named).await.status, StatusCode::OK);
}

#[tokio::test]
async fn all_tokens_but_the_callers_are_taken_back() {
    let relay = Relay::guarded().await;
    let SessionCreated { session, tokens } = relay.create("alice").await;
    let old = |more: Value| {
        let mut claims = json!({
            "aud": "mien", "sub": "alice", "exp": 4_000_000_000_u64, "sid": session.id, "role": "watch",
        });
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        signed(&claims)
    };
    // Of older releases and of embedders: without a name, without a date, or with one that has not come.
    let others = [
        tokens.watch,
        old(json!({})),
        old(json!({"jti": "x"})),
        old(json!({"iat": 1})),
        old(json!({"iat": 4_000_000_000_u64})),
    ];
    let read = path(session.id, "");
    for token in &others {
        assert_eq!(relay.get(&read, token).await.status, StatusCode::OK);
    }
    let revoke = path(session.id, "/revoke");
    assert_eq!(relay.post(&revoke, &tokens.owner, "{}").await.status, StatusCode::NO_CONTENT);
    for token in &others {
        relay.get(&read, token).await.is_problem(Code::Unauthorized);
    }
    assert_eq!(relay.get(&read, &tokens.owner).await.status, StatusCode::OK);
    let fresh = link(&relay, session.id, &tokens.owner).await;
    assert_eq!(relay.get(&read, &fresh).await.status, StatusCode::OK, "given out afterwards, at once");
    // The user's own call spares none of the session's, and is not of it.
    let alice = relay.user("alice");
    assert_eq!(relay.post(&revoke, &alice, "{}").await.status, StatusCode::NO_CONTENT);
    for token in [&tokens.owner, &fresh] {
        relay.get(&read, token).await.is_problem(Code::Unauthorized);
    }
    assert_eq!(relay.get(&read, &alice).await.json::<Session>().id, session.id);
    // A relay that asks the store again finds the same.
    relay.state.cache.forget_all();
    relay.get(&read, &fresh).await.is_problem(Code::Unauthorized);
}

#[tokio::test]
async fn no_token_outlives_what_the_relay_allows() {
    let relay = Relay::guarded().await;
    let SessionCreated { session, tokens } = relay.create("alice").await;
    let ask = path(session.id, "/tokens");
    for token in [&relay.user("alice"), &tokens.owner] {
        let body = json!({"role": "owner", "ttl_s": 30 * DAY}).to_string();
        let granted = relay.post(&ask, token, &body).await;
        assert_eq!(granted.status, StatusCode::CREATED, "{}", granted.text());
        let body = json!({"role": "owner", "ttl_s": 30 * DAY + 1}).to_string();
        relay.post(&ask, token, &body).await.is_problem(Code::Invalid);
    }
    // One that asks for its successor, which asks for its own: the end does not move.
    let now = mien_relay::clock::now().as_second();
    let owner = signed(&json!({
        "aud": "mien", "sub": "alice", "exp": now + DAY, "sid": session.id, "role": "owner", "iat": now - 20 * DAY,
    }));
    let body = |days: i64| json!({"role": "owner", "ttl_s": days * DAY}).to_string();
    relay.post(&ask, &owner, &body(11)).await.is_problem(Code::Invalid);
    let next = relay.post(&ask, &owner, &body(9)).await.json::<TokenGrant>().token;
    relay.post(&ask, &next, &body(11)).await.is_problem(Code::Invalid);
    assert!((DAY - 5..=DAY).contains(&left(&link(&relay, session.id, &next).await)), "a day, as ever");

    let flags = ["--auth=token", "--requests-burst=10000", "--max-token-ttl=1h"];
    let strict = Relay::start_with(&flags).await;
    let SessionCreated { session, tokens } = strict.create("alice").await;
    for token in [&tokens.owner, &tokens.ingest, &tokens.watch] {
        assert!(left(token) <= 3_600);
    }
    assert!(left(&link(&strict, session.id, &tokens.owner).await) <= 3_600);
    let body = r#"{"role":"watch","ttl_s":3601}"#;
    strict.post(&path(session.id, "/tokens"), &strict.user("alice"), body).await.is_problem(Code::Invalid);
}

#[tokio::test]
async fn half_a_capability_is_not_its_user() {
    let relay = Relay::guarded().await;
    let id = relay.create("alice").await.session.id;
    for half in [
        json!({"sid": null}),
        json!({"role": null}),
        json!({"source": null}),
        json!({"sid": null, "role": null}),
        json!({"source": "main"}),
        json!({"sid": id, "role": "owner", "source": null}),
    ] {
        let mut whole = json!({"aud": "mien", "sub": "alice", "exp": 4_000_000_000_u64});
        for (name, value) in half.as_object().unwrap() {
            whole[name] = value.clone();
        }
        relay.get("/api/v1/sessions", &signed(&whole)).await.is_problem(Code::Unauthorized);
    }
}

#[tokio::test]
async fn a_token_may_begin_five_seconds_ahead() {
    let relay = Relay::guarded().await;
    let begins = |seconds: i64| {
        let nbf = mien_relay::clock::now().as_second() + seconds;
        signed(&json!({"aud": "mien", "sub": "alice", "exp": 4_000_000_000_u64, "nbf": nbf}))
    };
    assert_eq!(relay.get("/api/v1/sessions", &begins(3)).await.status, StatusCode::OK);
    relay.get("/api/v1/sessions", &begins(60)).await.is_problem(Code::Unauthorized);
}

#[tokio::test]
async fn an_older_secret_is_still_believed() {
    let old = "fedcba9876543210fedcba9876543210";
    let alice = Caller { user: "alice".to_owned(), grant: None };
    let token = TokenKey::new(old.as_bytes()).sign(&alice, 4_000_000_000);
    let rotated = Relay::start_with(&["--auth=token", "--token-secret-previous", old]).await;
    assert_eq!(rotated.get("/api/v1/sessions", &token).await.status, StatusCode::OK);
    let created: SessionCreated = rotated.post("/api/v1/sessions", &token, "{}").await.json();
    assert!(TokenKey::new(old.as_bytes()).read(&created.tokens.owner).is_err(), "it signs nothing");
    Relay::guarded().await.get("/api/v1/sessions", &token).await.is_problem(Code::Unauthorized);
}
