//! The request rate: its refusal, its header fields, whom it counts for and what it leaves alone.

use hyper::{Method, StatusCode};
use mien_shared::Code;

use mien_in_process::Relay;

#[tokio::test]
async fn a_user_over_the_rate_is_told_when_to_come_back() {
    let relay = Relay::start_with(&["--auth=token", "--requests-per-second=1", "--requests-burst=3"]).await;
    let alice = relay.user("alice");
    for left in [2, 1, 0] {
        let answer = relay.get("/api/v1/sessions", &alice).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.header("ratelimit").starts_with(&format!("\"requests\";r={left};t=")), "{answer:?}");
        assert_eq!(answer.header("ratelimit-policy"), "\"requests\";q=3;w=3");
    }
    let refused = relay.get("/api/v1/sessions", &alice).await;
    refused.is_problem(Code::RateLimited);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.header("ratelimit"), "\"requests\";r=0;t=1");
    assert_eq!(refused.header("ratelimit-policy"), "\"requests\";q=3;w=3");

    // Others have buckets of their own, and those who run the relay are not counted at all.
    let created = relay.post("/api/v1/sessions", &relay.user("bob"), "{}").await;
    assert_eq!(created.status, StatusCode::CREATED);
    for _ in 0..5 {
        for path in ["/healthz", "/readyz", "/metrics", "/", "/api/v1/openapi.json"] {
            let answer = relay.get(path, &alice).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            assert!(answer.headers.get("ratelimit").is_none(), "{path}");
        }
    }
    let counted = relay.get("/metrics", "").await.text();
    assert!(counted.contains("rate_limited_total{kind=\"requests\"} 1"), "{counted}");
}

#[tokio::test]
async fn whoever_cannot_be_named_counts_for_their_address() {
    let relay = Relay::start_with(&["--auth=token", "--requests-per-second=1", "--requests-burst=2"]).await;
    relay.get("/api/v1/sessions", "guess.one.x").await.is_problem(Code::Unauthorized);
    relay.get("/api/v1/sessions", "").await.is_problem(Code::Unauthorized);
    relay.get("/api/v1/sessions", "guess.two.x").await.is_problem(Code::RateLimited);
    // A user has a bucket, each role in a session another one, and nobody's guesses take from them.
    assert_eq!(relay.get("/api/v1/sessions", &relay.user("alice")).await.status, StatusCode::OK);
    let nowhere = mien_shared::SessionId(uuid::Uuid::now_v7());
    let path = format!("/api/v1/sessions/{nowhere}");
    let capability = relay.token(nowhere, mien_shared::Role::Owner);
    for _ in 0..2 {
        relay.get(&path, &capability).await.is_problem(Code::SessionNotFound);
    }
    relay.get(&path, &capability).await.is_problem(Code::RateLimited);
    assert_eq!(relay.get("/api/v1/sessions", &relay.user("alice")).await.status, StatusCode::OK);
}

/// Whoever was sent a link to watch cannot keep its owner from ending the recording.
#[tokio::test]
async fn a_share_link_spends_a_bucket_of_its_own() {
    let relay = Relay::start_with(&["--auth=token", "--requests-per-second=1", "--requests-burst=3"]).await;
    let (alice, created) = (relay.user("alice"), relay.create("alice").await);
    let path = format!("/api/v1/sessions/{}", created.session.id);
    for _ in 0..3 {
        assert_eq!(relay.get(&path, &created.tokens.watch).await.status, StatusCode::OK);
    }
    relay.get(&path, &created.tokens.watch).await.is_problem(Code::RateLimited);
    // Another link of the session has the same one: more links are no more requests.
    let watch = relay.token(created.session.id, mien_shared::Role::Watch);
    relay.get(&path, &watch).await.is_problem(Code::RateLimited);
    for token in [&alice, &created.tokens.owner] {
        let ended = relay.patch(&path, token, r#"{"status":"completed"}"#).await;
        assert_eq!(ended.status, StatusCode::OK, "{}", ended.text());
    }
}

#[tokio::test]
async fn refusals_are_counted_by_route_not_by_path() {
    let relay = Relay::guarded().await;
    let before = relay.get("/metrics", "").await;
    assert!(before.header("content-type").starts_with("application/openmetrics-text"));
    let series = |text: &str, method: &str, endpoint: &str, status: u16| {
        let name = "http_request_duration_seconds_count";
        let start = format!("{name}{{method=\"{method}\",endpoint=\"{endpoint}\",status=\"{status}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&start)?.parse::<u64>().ok())
    };
    let text = before.text();
    for (method, endpoint, status) in [
        ("POST", "/api/v1/sessions", 201),
        ("GET", "/api/v1/sessions/{id}/samples", 200),
        ("DELETE", "/api/v1/sessions/{id}/markers/{marker}", 204),
        ("GET", "/healthz", 200),
    ] {
        assert_eq!(series(&text, method, endpoint, status), Some(0), "{method} {endpoint}");
    }
    let id = relay.create("alice").await.session.id;
    relay.get(&format!("/api/v1/sessions/{id}"), &relay.user("alice")).await;
    relay.get("/api/v1/nothing/1", "").await;
    relay.get("/api/v1/nothing/2", "").await;
    relay.call(Method::PUT, "/healthz", &[], "").await;
    let text = relay.get("/metrics", "").await.text();
    assert_eq!(series(&text, "POST", "/api/v1/sessions", 201), Some(1));
    assert_eq!(series(&text, "GET", "/api/v1/sessions/{id}", 200), Some(1));
    assert_eq!(series(&text, "GET", "none", 404), Some(2));
    assert_eq!(series(&text, "PUT", "/healthz", 405), Some(1));
    assert!(!text.contains(&id.to_string()));
    assert!(text.contains("database_pool_in_use "));
}
