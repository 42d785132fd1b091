//! Every refusal of the interface: its status, its code, and the id that its problem and its header share.

use std::time::Duration;

use bytes::Bytes;
use hyper::{Method, StatusCode};
use mien_shared::{Code, Problem};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use mien_in_process::Relay;
use mien_in_process::conformance::Exchange;
use mien_in_process::http::hold_to_contract;

#[tokio::test]
async fn bodies_are_refused_for_what_is_wrong_with_them() {
    let relay = Relay::guarded().await;
    let bearer = format!("Bearer {}", relay.user("alice"));
    let post = async |kind: &str, body: &str| {
        let headers: &[_] = if kind.is_empty() {
            &[("authorization", bearer.as_str())]
        } else {
            &[("authorization", bearer.as_str()), ("content-type", kind)]
        };
        relay.call(Method::POST, "/api/v1/sessions", headers, body).await
    };
    for kind in ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
        post(kind, "{}").await.is_problem(Code::UnsupportedMediaType);
    }
    for kind in ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"] {
        assert_eq!(post(kind, "{}").await.status, StatusCode::CREATED);
    }
    for body in [
        "",
        "nope",
        "[]",
        "\"x\"",
        "null",
        "{\"title\":",
        "{\"title\":7}",
        "{\"title\":\"\\ud800\"}",
        "{} {}",
    ] {
        let problem = post("application/json", body).await.is_problem(Code::Malformed);
        assert_eq!(problem.status, 400, "{body}");
    }
    let whitespace = |bytes: usize| format!("{{{}}}", " ".repeat(bytes - 2));
    assert_eq!(post("application/json", &whitespace(64 * 1024)).await.status, StatusCode::CREATED);
    post("application/json", &whitespace(64 * 1024 + 1)).await.is_problem(Code::PayloadTooLarge);
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let relay = Relay::guarded().await;
    for path in [
        "/nothing",
        "/api",
        "/api/v1",
        "/api/v1/nothing",
        "/api/v2/sessions",
        "/missing.js",
        "/api/v1/sessions/",
    ] {
        relay.get_with(path, &[("accept", "*/*")]).await.is_problem(Code::NotFound);
    }
    relay.get_with("/api/v1/nothing", &[("accept", "text/html")]).await.is_problem(Code::NotFound);
    relay.call(Method::POST, "/nothing", &[], "").await.is_problem(Code::NotFound);
    let no_text = relay.get("/api/v1/sessions/%FF/watch", "").await;
    assert_eq!(no_text.header("content-type"), mien_shared::Problem::MEDIA_TYPE);
    relay.get("/api/v1/sessions/%FF", &relay.user("alice")).await.is_problem(Code::SessionNotFound);
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let relay = Relay::guarded().await;
    let id = relay.create("alice").await.session.id;
    for (method, path, allowed) in [
        (Method::PUT, "/api/v1/sessions".to_owned(), vec!["GET", "HEAD", "POST"]),
        (Method::DELETE, "/api/v1/sessions".to_owned(), vec!["GET", "HEAD", "POST"]),
        (Method::POST, format!("/api/v1/sessions/{id}"), vec!["DELETE", "GET", "HEAD", "PATCH"]),
        (Method::GET, format!("/api/v1/sessions/{id}/tokens"), vec!["POST"]),
        (Method::POST, format!("/api/v1/sessions/{id}/samples"), vec!["GET", "HEAD"]),
        (Method::PATCH, format!("/api/v1/sessions/{id}/markers"), vec!["GET", "HEAD", "POST"]),
        (Method::POST, "/healthz".to_owned(), vec!["GET", "HEAD"]),
        (Method::DELETE, "/".to_owned(), vec!["GET", "HEAD"]),
    ] {
        let answer = relay.call(method.clone(), &path, &[], "").await;
        answer.is_problem(Code::MethodNotAllowed);
        let mut methods: Vec<_> = answer.header("allow").split(',').map(str::trim).collect();
        methods.sort_unstable();
        assert_eq!(methods, allowed, "{method} {path}");
    }
}

#[tokio::test]
async fn every_answer_names_its_request() {
    let relay = Relay::guarded().await;
    for path in
        ["/", "/healthz", "/readyz", "/metrics", "/nothing", "/api/v1/sessions", "/api/v1/openapi.json"]
    {
        assert_eq!(relay.get(path, "").await.header("x-request-id").len(), 36, "{path}");
        let given = relay.get_with(path, &[("x-request-id", "trace-1.A_b")]).await;
        assert_eq!(given.header("x-request-id"), "trace-1.A_b", "{path}");
    }
    for odd in ["a b", &"x".repeat(65), "<b>"] {
        let answer = relay.get_with("/nothing", &[("x-request-id", odd)]).await;
        assert_eq!(answer.is_problem(Code::NotFound).request_id.len(), 36);
    }
    let one = relay.get_with("/nothing", &[("x-request-id", "kept")]).await;
    assert_eq!(one.is_problem(Code::NotFound).request_id, "kept");
    let head = relay.call(Method::HEAD, "/nothing", &[], "").await;
    assert_eq!((head.status, head.body.len()), (StatusCode::NOT_FOUND, 0));
}

#[tokio::test]
async fn an_unauthorized_caller_is_told_how_to_sign_in() {
    let relay = Relay::guarded().await;
    for token in ["", "nonsense", &format!("{}x", relay.user("alice"))] {
        let answer = relay.get("/api/v1/sessions", token).await;
        let problem = answer.is_problem(Code::Unauthorized);
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        assert!(token.is_empty() || !problem.detail.contains(token));
    }
}

/// The layers are the relay's; only the handler that panics is made up, since the relay has none.
#[tokio::test]
async fn a_panic_is_an_internal_problem_and_tells_nothing() {
    async fn panics() -> &'static str {
        panic!("secret");
    }
    let mut relay = Relay::guarded().await;
    let routes = axum::Router::new().route("/panics", axum::routing::get(panics));
    let router = mien_relay::http::router::layer(routes, &relay.state).with_state(relay.state.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    relay.address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    for _ in 0..2 {
        let answer = relay.get("/panics", "").await;
        answer.is_problem(Code::Internal);
        assert!(!answer.text().contains("secret"));
    }
}

#[tokio::test]
async fn without_its_store_the_relay_is_alive_but_not_ready() {
    let relay = Relay::guarded().await;
    assert_eq!(relay.get("/readyz", "").await.status, StatusCode::OK);
    relay.state.store.close().await;
    relay.get("/readyz", "").await.is_problem(Code::StoreUnavailable);
    let failed = relay.get("/api/v1/sessions", &relay.user("alice")).await;
    failed.is_problem(Code::StoreUnavailable);
    assert_eq!(failed.header("retry-after"), "1");
    assert_eq!(relay.get("/healthz", "").await.status, StatusCode::OK);
}

/// The clock is paused and leaps to the end of the wait, since nothing else is left to do.
#[tokio::test(flavor = "current_thread")]
async fn a_body_that_never_ends_is_given_up() {
    let relay = Relay::guarded().await;
    let mut stream = TcpStream::connect(relay.address).await.unwrap();
    let head = format!(
        "POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{",
        relay.user("alice")
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The relay must have begun to read before time is made to leap.
    tokio::time::sleep(Duration::from_millis(200)).await;
    tokio::time::pause();
    let mut answer = String::new();
    let reading = async {
        let mut buffer = [0; 4_096];
        while !answer.ends_with('}') {
            let count = stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "closed after {answer}");
            answer.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
    };
    tokio::time::timeout(Duration::from_mins(2), reading).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(serde_json::from_str::<Problem>(body).unwrap().code, Code::Timeout);
    let fields = head.lines().skip(1).map(|line| line.split_once(": ").unwrap());
    hold_to_contract(&Exchange {
        method: &Method::POST,
        target: "/api/v1/sessions",
        status: StatusCode::REQUEST_TIMEOUT,
        headers: &fields.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect(),
        body: &Bytes::from(body.to_owned()),
    });
}

#[tokio::test]
async fn a_relay_that_shuts_down_says_so() {
    let relay = Relay::guarded().await;
    let session = relay.create("alice").await.session.id;
    assert_eq!(relay.get_with("/readyz", &[]).await.status, StatusCode::OK);
    // As a socket that is still open, for whose end the relay waits.
    let _open = relay.state.connections.acquire().await.unwrap();
    relay.state.drain.begin();
    relay.get_with("/readyz", &[]).await.is_problem(Code::Draining);
    let upgrade = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", "mien.v1"),
    ];
    for kind in ["ingest", "watch"] {
        let socket = format!("/api/v1/sessions/{session}/{kind}");
        relay.get_with(&socket, &upgrade).await.is_problem(Code::Draining);
    }
    assert_eq!(relay.get_with("/healthz", &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_session_erased_by_another_relay_takes_no_marker() {
    let relay = Relay::guarded().await;
    let created = relay.create("alice").await;
    let (id, owner) = (created.session.id, &created.tokens.owner);
    let markers = format!("/api/v1/sessions/{id}/markers");
    assert_eq!(relay.post(&markers, owner, r#"{"at":1,"label":"a"}"#).await.status, StatusCode::CREATED);
    // Behind this relay's back: its cache still has the session.
    assert!(relay.state.store.delete_session(id).await.unwrap());
    relay.post(&markers, owner, r#"{"at":2,"label":"b"}"#).await.is_problem(Code::SessionEnded);
}
