//! `/metrics`: one text for all who ask within a moment, and a listener of its own where one is set.

use std::time::Duration;

use hyper::StatusCode;
use mien_shared::Code;

use crate::connections::Peer;
use mien_in_process::Relay;

#[tokio::test]
async fn whoever_asks_within_a_moment_gets_the_same_text() {
    let relay =
        Relay::start_changed(&["--auth=token"], |config| config.timeouts.metrics = Duration::from_hours(1))
            .await;
    let first = relay.get("/metrics", "").await;
    assert!(first.header("content-type").starts_with("application/openmetrics-text"));
    // Counted, and yet not in the text, which is not rendered again.
    relay.get("/healthz", "").await;
    let second = relay.get("/metrics", "").await;
    assert!(first.body == second.body, "the text was rendered again");
}

#[tokio::test]
async fn with_a_listener_of_their_own_metrics_are_there_alone() {
    let relay = Relay::start_with(&["--auth=token", "--metrics-listen=127.0.0.1:0"]).await;
    relay.get("/metrics", "").await.is_problem(Code::NotFound);
    let metrics = relay.metrics.unwrap();
    let mut peer = Peer::connect(metrics).await;
    peer.ask("/metrics").await;
    let (head, body) = peer.answer().await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("application/openmetrics-text"), "{head}");
    assert!(body.contains("endpoint=\"/metrics\",status=\"404\"} 1"), "{body}");
    peer.ask("/healthz").await;
    assert!(peer.answer().await.0.starts_with("HTTP/1.1 200"));
    for elsewhere in ["/", "/api/v1/sessions", "/readyz"] {
        peer.ask(elsewhere).await;
        let (head, body) = peer.answer().await;
        assert!(head.starts_with("HTTP/1.1 404") && body.contains("not_found"), "{elsewhere}: {head}");
    }
    assert_eq!(relay.get("/healthz", "").await.status, StatusCode::OK);
}
