//! Pages of other origins, and what every answer tells a browser.

use hyper::{Method, StatusCode};
use mien_shared::Code;

use crate::support::{Answer, Relay};

const NAMED: &str = "https://embed.example";

async fn create(relay: &Relay, origin: &str) -> Answer {
    let bearer = format!("Bearer {}", relay.user("alice"));
    let headers =
        [("authorization", bearer.as_str()), ("content-type", "application/json"), ("origin", origin)];
    relay.call(Method::POST, "/api/v1/sessions", &headers, "{}").await
}

#[track_caller]
fn says_nothing_to_strangers(answer: &Answer) {
    assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")), "{answer:?}");
}

#[tokio::test]
async fn a_foreign_page_changes_nothing_and_hears_nothing() {
    let relay = Relay::start().await;
    let own = format!("http://{}", relay.address);
    let answer = create(&relay, &own).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    says_nothing_to_strangers(&answer);
    for origin in ["https://evil.example", "null", "", "http://127.0.0.1:1", NAMED] {
        let answer = create(&relay, origin).await;
        let problem = answer.is_problem(Code::ForeignOrigin);
        assert_ne!(problem.detail, problem.title, "a page says both");
        says_nothing_to_strangers(&answer);
        for method in [Method::PATCH, Method::DELETE, Method::PUT] {
            let answer = relay.call(method, "/api/v1/sessions/x", &[("origin", origin)], "").await;
            answer.is_problem(Code::ForeignOrigin);
        }
        let read = relay.get_with("/api/v1/sessions", &[("origin", origin)]).await;
        read.is_problem(Code::Unauthorized);
        says_nothing_to_strangers(&read);
        let preflight = [("origin", origin), ("access-control-request-method", "POST")];
        let preflight = relay.call(Method::OPTIONS, "/api/v1/sessions", &preflight, "").await;
        assert_eq!(preflight.status, StatusCode::METHOD_NOT_ALLOWED);
        says_nothing_to_strangers(&preflight);
    }
}

#[tokio::test]
async fn a_named_page_is_let_in() {
    let relay = Relay::start_with(&["--auth=token", "--allowed-origins=https://embed.example"]).await;
    let answer = create(&relay, NAMED).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.header("access-control-allow-origin"), NAMED);
    assert!(answer.header("access-control-expose-headers").contains("RateLimit"));
    assert!(answer.headers.get("access-control-allow-credentials").is_none());
    assert!(answer.headers.get_all("vary").iter().any(|vary| vary == "Origin"));
    let preflight = [("origin", NAMED), ("access-control-request-method", "DELETE")];
    let preflight = relay.call(Method::OPTIONS, "/api/v1/sessions/x", &preflight, "").await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert_eq!(preflight.header("access-control-allow-origin"), NAMED);
    assert!(preflight.header("access-control-allow-methods").contains("DELETE"));
    assert!(preflight.header("access-control-allow-headers").contains("Authorization"));
    let refused = relay.get_with("/api/v1/sessions", &[("origin", NAMED)]).await;
    refused.is_problem(Code::Unauthorized);
    assert_eq!(refused.header("access-control-allow-origin"), NAMED);
    let stranger = create(&relay, "https://evil.example").await;
    stranger.is_problem(Code::ForeignOrigin);
    says_nothing_to_strangers(&stranger);
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let relay = Relay::start().await;
    let policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; \
                  media-src 'self' blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'self'; \
                  form-action 'none'; frame-ancestors 'none'";
    for path in ["/", "/healthz", "/metrics", "/nothing", "/api/v1/sessions", "/api/v1/openapi.json"] {
        let answer = relay.get(path, "").await;
        assert_eq!(answer.header("content-security-policy"), policy, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
        assert!(answer.header("permissions-policy").starts_with("camera=(self), microphone=()"));
        assert!(!answer.header("cache-control").is_empty(), "{path}");
    }
}
