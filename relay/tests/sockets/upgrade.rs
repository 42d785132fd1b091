//! What is refused before it becomes a WebSocket.

use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Request, header};

use crate::process;
use mien_in_process::client::Client;
use mien_in_process::{Relay, patiently};
use mien_kit::socket::request;

/// The HTTP status and code that an upgrade is answered with.
async fn refusal(request: Request<()>) -> (u16, String) {
    match patiently(tokio_tungstenite::connect_async(request)).await {
        Err(Error::Http(response)) => {
            let problem: serde_json::Value =
                serde_json::from_slice(response.body().as_deref().unwrap_or_default()).unwrap();
            (response.status().as_u16(), problem["code"].as_str().unwrap().to_owned())
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_subprotocol_is_compulsory() {
    let relay = Relay::start().await;
    let session = relay.session().await.to_string();
    for offer in [None, Some("mien.v2")] {
        let mut request = request(relay.address, &session, "ingest");
        request.headers_mut().remove(header::SEC_WEBSOCKET_PROTOCOL);
        if let Some(offer) = offer {
            request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(offer));
        }
        assert_eq!(refusal(request).await, (400, "subprotocol_required".into()));
    }
}

#[tokio::test]
async fn sockets_are_below_the_base_path_and_without_it() {
    let relay = Relay::start_with(&["--base-path", "/mien"]).await;
    let session = relay.session().await.to_string();
    for prefix in ["/mien", ""] {
        let mut request = request(relay.address, &session, "watch");
        let address = request.uri().to_string().replace("/api/", &format!("{prefix}/api/"));
        *request.uri_mut() = address.parse().unwrap();
        let (client, _) = Client::upgrade(relay.address, request).await;
        client.leave().await;
    }
}

#[tokio::test]
async fn foreign_origins_stay_out() {
    let flags = ["--auth", "token", "--allowed-origins", "https://embed.example"];
    let relay = Relay::start_with(&flags).await;
    let session = relay.session().await.to_string();
    for origin in ["https://evil.example", "null"] {
        let mut request = request(relay.address, &session, "watch");
        request.headers_mut().insert(header::ORIGIN, HeaderValue::from_static(origin));
        assert_eq!(refusal(request).await, (403, "foreign_origin".into()));
    }
    for origin in [format!("http://{}", relay.address), "https://embed.example".into()] {
        let mut request = request(relay.address, &session, "watch");
        request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
        patiently(tokio_tungstenite::connect_async(request)).await.unwrap();
    }
}

/// An open relay would let everyone in whom the proxy lets in.
#[tokio::test]
async fn strangers_whom_a_proxy_passes_on_stay_out_of_an_open_relay() {
    let folder = tempfile::tempdir().unwrap();
    let relay = process::start(folder.path(), &[("MIEN_LOG", "info")]).await;
    let nowhere = "0193c0de-0000-7000-8000-000000000000";
    for (name, value) in [
        ("x-forwarded-for", "203.0.113.7"),
        ("x-real-ip", "203.0.113.7"),
        ("forwarded", "for=203.0.113.7"),
        ("x-forwarded-host", "mien.example"),
    ] {
        let mut request = request(relay.address(), nowhere, "watch");
        request.headers_mut().insert(name, HeaderValue::from_static(value));
        assert_eq!(refusal(request).await, (403, "foreign_origin".into()), "{name}");
    }
    let log = process::end(relay).await;
    let line =
        log.lines().find(|line| line.contains("came through a proxy")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("x-forwarded-for") && line.contains("MIEN_AUTH=token"), "{line}");
    assert!(!log.contains("203.0.113.7"), "addresses reach no log: {log}");
}

/// Whoever set up a proxy looks at the log, and anyone may send what fills it.
#[tokio::test]
async fn a_refused_origin_is_logged_with_what_to_do_and_not_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let relay = process::start(folder.path(), &[("MIEN_LOG", "info")]).await;
    let nowhere = "0193c0de-0000-7000-8000-000000000000";
    for _ in 0..30 {
        let mut request = request(relay.address(), nowhere, "watch");
        request.headers_mut().insert(header::ORIGIN, HeaderValue::from_static("https://mien.example"));
        assert_eq!(refusal(request).await, (403, "foreign_origin".into()));
    }
    let log = process::end(relay).await;
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("another origin")).collect();
    // One, or a second if thirty refusals take ten seconds here.
    assert!((1..=2).contains(&lines.len()), "{log}");
    for words in ["INFO", "https://mien.example", "127.0.0.1:", "Host with its port", "MIEN_ALLOWED_ORIGINS"]
    {
        assert!(lines[0].contains(words), "{words}: {}", lines[0]);
    }
}

#[tokio::test]
async fn an_address_without_a_session_is_not_found() {
    let relay = Relay::start().await;
    assert_eq!(refusal(request(relay.address, "x", "ingest")).await, (404, "session_not_found".into()));
}

#[tokio::test]
async fn connections_are_counted() {
    let relay = Relay::start_with(&["--max-connections", "1"]).await;
    let session = relay.session().await;
    let (first, _) = relay.watch(session, serde_json::Value::Null).await;
    let again = request(relay.address, &session.to_string(), "ingest");
    assert_eq!(refusal(again).await, (503, "at_capacity".into()));
    assert!(relay.state.render_metrics().contains("websocket_active_connections{kind=\"watch\"} 1"));
    first.leave().await;
    let permit = patiently(relay.state.connections.acquire()).await.unwrap();
    drop(permit);
    Client::connect(relay.address, session, "ingest").await;
}

/// As a proxy passes it on that was told nothing of WebSockets. The page cannot see the answer; whoever runs the relay
/// sees the log.
#[tokio::test]
async fn an_upgrade_that_a_proxy_has_spoiled_is_answered_and_logged_with_what_to_do() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let folder = tempfile::tempdir().unwrap();
    let relay = process::start(folder.path(), &[("MIEN_LOG", "info")]).await;
    let nowhere = "0193c0de-0000-7000-8000-000000000000";
    for missing in ["upgrade", "connection"].into_iter().cycle().take(10) {
        let kept = if missing == "upgrade" {
            "connection: upgrade"
        } else {
            "upgrade: websocket\r\nconnection: close"
        };
        let request = format!(
            "GET /api/v1/sessions/{nowhere}/ingest HTTP/1.1\r\nhost: {}\r\n{kept}\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: mien.v1\r\n\r\n",
            relay.address(),
        );
        let mut stream = tokio::net::TcpStream::connect(relay.address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            assert_ne!(patiently(stream.read_buf(&mut answer)).await.unwrap(), 0, "a whole problem");
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.contains(&format!("the header {missing} is missing")), "{answer}");
    }
    let log = process::end(relay).await;
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("a request for a WebSocket")).collect();
    // One, or a second if ten answers take ten seconds here.
    assert!((1..=2).contains(&lines.len()), "{log}");
    for words in ["WARN", "missing=\"upgrade\"", "Upgrade and Connection"] {
        assert!(lines[0].contains(words), "{words}: {}", lines[0]);
    }
}
