//! Pages of other origins, and what every answer tells a browser.

use hyper::{Method, StatusCode};
use mien_shared::Code;

use mien_in_process::{Answer, Relay};

/// A relay that lets everyone in who reaches it, as it is on a person's own machine.
async fn open_relay(flags: &[&str]) -> Relay {
    Relay::start_with(&[&["--auth=open"], flags].concat()).await
}

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
    let relay = Relay::guarded().await;
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
    let relay = Relay::guarded().await;
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

/// What nginx, Apache and others say of a request that they pass on. An open relay would let the world in.
#[tokio::test]
async fn an_open_relay_answers_to_nobody_who_comes_through_a_proxy() {
    let relay = open_relay(&["--requests-burst=10000"]).await;
    for (name, value) in [
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-for", "203.0.113.7, 127.0.0.1"),
        ("x-forwarded-host", "mien.example"),
        ("x-forwarded-server", "mien.example"),
        ("x-real-ip", "203.0.113.7"),
        ("forwarded", "for=203.0.113.7;proto=https"),
        ("forwarded", "proto=https;host=mien.example"),
        ("forwarded", "for=\"[2001:db8::1]:4711\""),
        ("forwarded", "for=_hidden"),
        ("forwarded", "for=unknown"),
        ("forwarded", "for=\"127.0.0.1"),
    ] {
        for path in ["/api/v1/sessions", "/", "/metrics"] {
            let answer = relay.get_with(path, &[(name, value)]).await;
            let problem = answer.is_problem(Code::ForeignOrigin);
            assert!(problem.detail.contains(name), "{}", problem.detail);
            assert!(problem.detail.contains("MIEN_AUTH=token"), "{}", problem.detail);
            assert!(!problem.detail.contains("203.0.113.7"), "{}", problem.detail);
        }
        let session = [(name, value), ("content-type", "application/json")];
        relay.call(Method::POST, "/api/v1/sessions", &session, "{}").await.is_problem(Code::ForeignOrigin);
    }
    // Several lines of one name are one list.
    let lines = [("x-forwarded-for", "127.0.0.1"), ("x-forwarded-for", "203.0.113.7")];
    relay.get_with("/api/v1/sessions", &lines).await.is_problem(Code::ForeignOrigin);
}

/// `trunk serve` gives the page at 8081 and passes its calls on, as many a developer's server does.
#[tokio::test]
async fn an_open_relay_answers_to_a_proxy_of_this_machine_alone() {
    let relay = open_relay(&["--requests-burst=10000", "--allowed-origins=http://127.0.0.1:8081"]).await;
    let trunk = [
        ("x-forwarded-host", "127.0.0.1:8081"),
        ("x-forwarded-proto", "http"),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-dest", "empty"),
    ];
    assert_eq!(relay.get_with("/api/v1/sessions", &trunk).await.status, StatusCode::OK);
    let creates =
        [&trunk[..], &[("origin", "http://127.0.0.1:8081"), ("content-type", "application/json")]].concat();
    let created = relay.call(Method::POST, "/api/v1/sessions", &creates, "{}").await;
    assert_eq!(created.status, StatusCode::CREATED);
    for (name, value) in [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-for", "::ffff:127.0.0.1, ::1"),
        ("x-forwarded-host", "localhost:5173"),
        ("x-forwarded-port", "5173"),
        ("x-forwarded-prefix", "/mien"),
        ("x-real-ip", "127.0.0.1"),
        ("forwarded", "for=\"[::1]:1234\";proto=https;host=\"localhost:8081\";by=127.0.0.1"),
    ] {
        assert_eq!(
            relay.get_with("/api/v1/sessions", &[(name, value)]).await.status,
            StatusCode::OK,
            "{value}"
        );
    }
}

/// In token mode a proxy in front is what one should have.
#[tokio::test]
async fn a_relay_that_wants_tokens_answers_through_a_proxy() {
    let relay = Relay::guarded().await;
    let bearer = format!("Bearer {}", relay.user("alice"));
    let headers = [
        ("authorization", bearer.as_str()),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-host", "mien.example"),
        ("forwarded", "for=203.0.113.7"),
        ("sec-fetch-site", "cross-site"),
    ];
    assert_eq!(relay.get_with("/api/v1/sessions", &headers).await.status, StatusCode::OK);
}

/// Pictures, scripts and frames of any page can ask for any address of this machine, and carry no `Origin`: they would
/// use up what the one user of an open relay may ask.
#[tokio::test]
async fn a_page_of_another_site_uses_up_nothing_of_an_open_relay() {
    let relay = open_relay(&["--requests-per-second=1", "--requests-burst=2"]).await;
    for site in ["cross-site", "same-site", "something-new"] {
        for (mode, dest) in
            [("no-cors", "image"), ("navigate", "iframe"), ("navigate", "document"), ("cors", "empty")]
        {
            let headers = [("sec-fetch-site", site), ("sec-fetch-mode", mode), ("sec-fetch-dest", dest)];
            for path in ["/api/v1/sessions", "/api/v1/sessions/x/export", "/api/v1/openapi.json"] {
                relay.get_with(path, &headers).await.is_problem(Code::ForeignOrigin);
            }
        }
    }
    // A browser that does not say from which site still says from which page where it asks to read.
    let read = [("origin", "https://evil.example")];
    relay.get_with("/api/v1/sessions", &read).await.is_problem(Code::ForeignOrigin);
    // Nothing was charged: both requests of the burst are there.
    assert_eq!(relay.get("/api/v1/sessions", "").await.status, StatusCode::OK);
    assert_eq!(relay.get("/api/v1/sessions", "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn who_may_ask_an_open_relay_still_may() {
    let flags = ["--requests-burst=10000", "--allowed-origins=http://localhost:3000"];
    let relay = open_relay(&flags).await;
    let named =
        [("origin", "http://localhost:3000"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")];
    let answer = relay.get_with("/api/v1/sessions", &named).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("access-control-allow-origin"), "http://localhost:3000");
    for site in ["same-origin", "none"] {
        let answer = relay.get_with("/api/v1/sessions", &[("sec-fetch-site", site)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{site}");
    }
    // A person follows a link, one click a request.
    let link = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
        ("sec-fetch-user", "?1"),
    ];
    assert_eq!(relay.get_with("/api/v1/openapi.json", &link).await.status, StatusCode::OK);
    // The page itself may be opened from anywhere, and what is no part of the interface is nobody's.
    let opened =
        [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    assert_eq!(relay.get_with("/healthz", &opened).await.status, StatusCode::OK);
}

/// A browser writes an origin in one way, a person in several.
#[tokio::test]
async fn a_named_origin_is_let_in_however_it_was_written() {
    for (said, sent) in [
        ("https://embed.example:443", "https://embed.example"),
        ("HTTPS://Embed.Example", "https://embed.example"),
        ("https://embed.example/", "https://embed.example"),
        ("http://embed.example:80/", "http://embed.example"),
        ("http://[0:0:0:0:0:0:0:1]:3000", "http://[::1]:3000"),
    ] {
        let relay = Relay::start_with(&["--auth=token", &format!("--allowed-origins={said}")]).await;
        let answer = create(&relay, sent).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{said}");
        assert_eq!(answer.header("access-control-allow-origin"), sent);
    }
}
