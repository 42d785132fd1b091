//! Sessions and tokens: what they answer, who may ask, in which order refusals come.

use hyper::{Method, StatusCode};
use mien_relay::auth::{Caller, Grant};
use mien_shared::api::{Session, SessionCreated, SessionList, TokenGrant};
use mien_shared::{Code, Role, SessionStatus};

use mien_in_process::{Relay, request};

#[tokio::test]
async fn a_session_lives_from_creation_to_erasure() {
    let relay = Relay::guarded().await;
    let alice = relay.user("alice");
    let answer =
        relay.post("/api/v1/sessions", &alice, r#"{"title":"Interview","purpose":"Research","new":1}"#).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let SessionCreated { session, tokens } = answer.json();
    assert_eq!(answer.header("location"), format!("/api/v1/sessions/{}", session.id));
    assert_eq!((session.title.as_str(), session.purpose.as_str()), ("Interview", "Research"));
    assert_eq!((session.user_id.as_str(), session.status), ("alice", SessionStatus::Active));
    assert_eq!(session.completed_at, None);
    assert_eq!(session.id.0.get_version_num(), 7);
    let value: serde_json::Value = answer.json();
    assert!(value["session"]["completed_at"].is_null());
    assert!(value["session"]["started_at"].as_str().unwrap().ends_with('Z'));
    for (token, role) in
        [(tokens.owner, Role::Owner), (tokens.ingest, Role::Ingest), (tokens.watch, Role::Watch)]
    {
        let Caller { user, grant: Some(grant) } = relay.state.tokens.read(&token).unwrap() else { panic!() };
        assert_eq!(user, "alice");
        assert_eq!((grant.session, grant.role, grant.source.as_str()), (session.id, role, "main"));
    }

    let path = format!("/api/v1/sessions/{}", session.id);
    assert_eq!(relay.get(&path, &alice).await.json::<Session>(), session);
    let renamed: Session = relay.patch(&path, &alice, r#"{"title":"Other"}"#).await.json();
    assert_eq!((renamed.title.as_str(), renamed.status), ("Other", SessionStatus::Active));
    let same = relay.patch(&path, &alice, r#"{"status":"active"}"#).await;
    assert_eq!(same.json::<Session>(), renamed);
    let completed: Session = relay.patch(&path, &alice, r#"{"status":"completed"}"#).await.json();
    assert_eq!(completed.status, SessionStatus::Completed);
    assert!(completed.completed_at.is_some());
    let again = relay.patch(&path, &alice, r#"{"status":"completed"}"#).await;
    assert_eq!((again.status, again.json::<Session>()), (StatusCode::OK, completed));
    relay.patch(&path, &alice, r#"{"status":"active"}"#).await.is_problem(Code::Conflict);

    let erased = relay.delete(&path, &alice).await;
    assert_eq!((erased.status, erased.body.len()), (StatusCode::NO_CONTENT, 0));
    relay.get(&path, &alice).await.is_problem(Code::SessionNotFound);
    relay.delete(&path, &alice).await.is_problem(Code::SessionNotFound);
    assert!(relay.get("/api/v1/sessions", &alice).await.json::<SessionList>().sessions.is_empty());
}

#[tokio::test]
async fn pages_of_sessions_hold_each_of_mine_once_newest_first() {
    let relay = Relay::guarded().await;
    let alice = relay.user("alice");
    let mut created = Vec::new();
    for _ in 0..7 {
        created.push(relay.create("alice").await.session.id);
        relay.create("bob").await;
    }
    created.reverse();
    for limit in [1, 3, 7, 1_000] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page: SessionList =
                relay.get(&format!("/api/v1/sessions?limit={limit}{cursor}"), &alice).await.json();
            assert!(page.sessions.len() <= limit);
            seen.extend(page.sessions.iter().map(|session| session.id));
            let Some(next) = page.next else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, created, "limit {limit}");
    }
}

#[tokio::test]
async fn tokens_are_given_as_asked() {
    let relay = Relay::start_with(&["--auth=token", "--requests-burst=10000", "--max-token-ttl=366d"]).await;
    let alice = relay.user("alice");
    let SessionCreated { session, tokens } = relay.create("alice").await;
    let path = format!("/api/v1/sessions/{}/tokens", session.id);
    for (token, body, role, source, seconds) in [
        (&alice, r#"{"role":"watch"}"#, Role::Watch, "main", 24 * 3600),
        (&tokens.owner, r#"{"role":"ingest","source":"cam-2","ttl_s":1}"#, Role::Ingest, "cam-2", 1),
        (&alice, r#"{"role":"owner","ttl_s":31622400}"#, Role::Owner, "main", 366 * 24 * 3600),
    ] {
        let answer = relay.post(&path, token, body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        let grant: TokenGrant = answer.json();
        let expected = Grant { session: session.id, role, source: source.parse().unwrap() };
        assert_eq!(relay.state.tokens.read(&grant.token).unwrap().grant, Some(expected));
        let left = grant.expires_at.as_second() - mien_relay::clock::now().as_second();
        assert!((seconds - 2..=seconds).contains(&left), "{left} s left of {seconds}");
    }
    for (body, code) in [
        (r"{}", Code::Malformed),
        (r#"{"role":1}"#, Code::Malformed),
        (r#"{"role":"ingest","ttl_s":"1"}"#, Code::Malformed),
        (r#"{"role":"admin"}"#, Code::Invalid),
        (r#"{"role":"watch","source":"main"}"#, Code::Invalid),
        (r#"{"role":"ingest","source":"Cam"}"#, Code::Invalid),
        (r#"{"role":"watch","ttl_s":0}"#, Code::Invalid),
        (r#"{"role":"watch","ttl_s":-1}"#, Code::Invalid),
        (r#"{"role":"watch","ttl_s":31622401}"#, Code::Invalid),
    ] {
        relay.post(&path, &alice, body).await.is_problem(code);
    }
    let completed =
        relay.patch(&format!("/api/v1/sessions/{}", session.id), &alice, r#"{"status":"completed"}"#).await;
    assert_eq!(completed.status, StatusCode::OK);
    relay.post(&path, &alice, r#"{"role":"ingest"}"#).await.is_problem(Code::Conflict);
    assert_eq!(relay.post(&path, &alice, r#"{"role":"watch"}"#).await.status, StatusCode::CREATED);
}

/// Every call of a session, with a body where it takes one.
fn calls(id: &str) -> Vec<(Method, String, Option<&'static str>, bool)> {
    let reads = ["", "/samples", "/series", "/summary", "/export", "/markers"];
    let mut calls: Vec<_> =
        reads.iter().map(|tail| (Method::GET, format!("/api/v1/sessions/{id}{tail}"), None, true)).collect();
    let marker = "/markers/0193c0de-0000-7000-8000-000000000000";
    for (method, tail, body) in [
        (Method::PATCH, "", Some(r#"{"title":"x"}"#)),
        (Method::POST, "/tokens", Some(r#"{"role":"watch"}"#)),
        (Method::POST, "/revoke", Some(r#"{"jti":"nobody"}"#)),
        (Method::POST, "/markers", Some(r#"{"at":1,"label":"x"}"#)),
        (Method::DELETE, marker, None),
        (Method::DELETE, "", None),
    ] {
        calls.push((method, format!("/api/v1/sessions/{id}{tail}"), body, false));
    }
    calls
}

#[tokio::test]
async fn each_call_is_open_to_those_whom_it_concerns_and_to_no_other() {
    let relay = Relay::guarded().await;
    let SessionCreated { session, tokens } = relay.create("alice").await;
    let other = relay.create("alice").await;
    let unknown = "0193c0de-0000-7000-8000-000000000000";
    let alice = relay.user("alice");
    for (method, path, body, reads) in calls(&session.id.to_string()) {
        let code = async |token: &str, path: &str| {
            let answer = relay.send(request(method.clone(), path, token, body)).await;
            let problem = !answer.status.is_success();
            (answer.status.as_u16(), problem.then(|| answer.json::<mien_shared::Problem>().code))
        };
        let forbidden = (403, Some(Code::Forbidden));
        assert_eq!(code("", &path).await, (401, Some(Code::Unauthorized)), "{method} {path}");
        assert_eq!(code("a.b.c", &path).await, (401, Some(Code::Unauthorized)), "{method} {path}");
        assert_eq!(code(&relay.user("bob"), &path).await, forbidden, "{method} {path}");
        assert_eq!(code(&tokens.ingest, &path).await, forbidden, "{method} {path}");
        assert_eq!(code(&other.tokens.owner, &path).await, forbidden, "{method} {path}");
        if !reads {
            assert_eq!(code(&tokens.watch, &path).await, forbidden, "{method} {path}");
        }
        for id in [unknown, "no-uuid"] {
            let nowhere = path.replacen(&session.id.to_string(), id, 1);
            assert_eq!(
                code(&alice, &nowhere).await,
                (404, Some(Code::SessionNotFound)),
                "{method} {nowhere}"
            );
            assert_eq!(code(&tokens.owner, &nowhere).await, forbidden, "{method} {nowhere}");
        }
        // Last, since one of the calls erases the session.
        if reads {
            assert_eq!(code(&tokens.watch, &path).await.1, None, "{method} {path}");
        }
        let (status, _) = code(&tokens.owner, &path).await;
        assert!(status < 300 || (status == 404 && path.contains("/markers/")), "{method} {path}: {status}");
    }
    for token in [&other.tokens.owner, &other.tokens.watch, &other.tokens.ingest] {
        relay.post("/api/v1/sessions", token, "{}").await.is_problem(Code::Forbidden);
        relay.get("/api/v1/sessions", token).await.is_problem(Code::Forbidden);
    }
}

#[tokio::test]
async fn refusals_come_in_the_contracts_order() {
    let relay = Relay::guarded().await;
    let SessionCreated { session, tokens } = relay.create("alice").await;
    let alice = relay.user("alice");
    let path = format!("/api/v1/sessions/{}", session.id);
    // A body that cannot be read, sent by callers with less and less to blame.
    relay.patch(&path, "", "{").await.is_problem(Code::Unauthorized);
    relay.patch(&path, &tokens.watch, "{").await.is_problem(Code::Forbidden);
    relay.patch(&path.replace('0', "1"), &alice, "{").await.is_problem(Code::SessionNotFound);
    relay.patch(&path, &alice, "{").await.is_problem(Code::Malformed);
    relay.get(&format!("{path}/samples?limit=x"), "").await.is_problem(Code::Unauthorized);
    relay.get(&format!("{path}/samples?limit=x"), &tokens.ingest).await.is_problem(Code::Forbidden);
    relay.post("/api/v1/sessions", &tokens.owner, "{").await.is_problem(Code::Forbidden);
}

#[tokio::test]
async fn open_mode_needs_no_token_and_still_refuses_a_bad_one() {
    let relay = Relay::start_with(&["--auth=open"]).await;
    let answer = relay.post("/api/v1/sessions", "", "{}").await;
    let created: SessionCreated = answer.json();
    assert_eq!((created.session.user_id.as_str(), created.session.title.as_str()), ("local", ""));
    let path = format!("/api/v1/sessions/{}", created.session.id);
    assert_eq!(relay.get(&path, "").await.status, StatusCode::OK);
    let refused = relay.get(&path, "a.b.c").await;
    refused.is_problem(Code::Unauthorized);
    assert!(refused.header("www-authenticate").starts_with("Bearer"));
    for scheme in ["Basic YTpi", "Bearer", ""] {
        relay.get_with(&path, &[("authorization", scheme)]).await.is_problem(Code::Unauthorized);
    }
    // A user token is that user also here.
    relay.get(&path, &relay.user("alice")).await.is_problem(Code::Forbidden);
}

#[tokio::test]
async fn words_have_their_lengths() {
    let relay = Relay::guarded().await;
    let alice = relay.user("alice");
    let post = async |body: String| relay.post("/api/v1/sessions", &alice, &body).await;
    assert_eq!(post(format!(r#"{{"title":"{}"}}"#, "ä".repeat(200))).await.status, StatusCode::CREATED);
    assert_eq!(post(format!(r#"{{"purpose":"{}"}}"#, "ä".repeat(500))).await.status, StatusCode::CREATED);
    post(format!(r#"{{"title":"{}"}}"#, "a".repeat(201))).await.is_problem(Code::Invalid);
    post(format!(r#"{{"purpose":"{}"}}"#, "a".repeat(501))).await.is_problem(Code::Invalid);
    let id = relay.create("alice").await.session.id;
    let path = format!("/api/v1/sessions/{id}");
    relay
        .patch(&path, &alice, &format!(r#"{{"title":"{}"}}"#, "a".repeat(201)))
        .await
        .is_problem(Code::Invalid);
    relay.patch(&path, &alice, r#"{"status":"paused"}"#).await.is_problem(Code::Invalid);
}
