//! A relay below a path: everything is there, and without the path as well, for proxies that strip it.

use hyper::{Method, StatusCode};
use mien_relay::http::page::Page;
use mien_shared::api::SessionCreated;
use serde_json::Value;

use mien_in_process::Relay;

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
const AT_ROOT: &str = "<base href=\"/\"";
const BELOW: &str = "<base href=\"/deep/mien/\"";

async fn start() -> Relay {
    Relay::start_with(&["--auth=token", "--requests-burst=10000", "--base-path=deep/mien/"]).await
}

#[tokio::test]
async fn the_page_is_below_it_and_says_so() {
    let relay = start().await;
    let page = relay.get_with("/deep/mien/", &[BROWSER]).await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    let at_root = Relay::guarded().await.get_with("/", &[BROWSER]).await;
    assert_eq!(page.text(), at_root.text().replace(AT_ROOT, BELOW));
    if at_root.text().contains(AT_ROOT) {
        assert!(page.text().contains(BELOW));
        assert_ne!(page.header("etag"), at_root.header("etag"), "another text, another tag");
    }
    for path in ["/", "/index.html", "/deep/mien/index.html", "/deep/mien/watch/x", "/demo"] {
        assert_eq!(relay.get_with(path, &[BROWSER]).await.body, page.body, "{path}");
    }
    let again = relay.get_with("/deep/mien/", &[BROWSER, ("if-none-match", page.header("etag"))]).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    // Without its slash, what is relative would be looked for beside it.
    let bare = relay.get_with("/deep/mien", &[BROWSER]).await;
    assert_eq!((bare.status, bare.header("location")), (StatusCode::PERMANENT_REDIRECT, "/deep/mien/"));
    for path in Page::embedded().paths().filter(|path| *path != "index.html") {
        let below = relay.get_with(&format!("/deep/mien/{path}"), &[]).await;
        let stripped = relay.get_with(&format!("/{path}"), &[]).await;
        assert_eq!((below.status, below.body), (StatusCode::OK, stripped.body), "{path}");
    }
    // The address from which all others are reckoned may be set by the page itself alone.
    assert!(page.header("content-security-policy").contains("base-uri 'self'"));
}

#[tokio::test]
async fn the_api_is_below_it_and_names_addresses_there() {
    let relay = start().await;
    let alice = relay.user("alice");
    for prefix in ["/deep/mien", ""] {
        let created = relay.post(&format!("{prefix}/api/v1/sessions"), &alice, "{}").await;
        assert_eq!(created.status, StatusCode::CREATED, "{prefix}");
        let id = created.json::<SessionCreated>().session.id;
        assert_eq!(created.header("location"), format!("/deep/mien/api/v1/sessions/{id}"));
        let read = relay.get(created.header("location"), &alice).await;
        assert_eq!(read.status, StatusCode::OK);
        let listed = relay.get(&format!("{prefix}/api/v1/sessions?limit=1"), &alice).await;
        assert!(listed.text().contains(&id.to_string()), "{}", listed.text());
        for path in ["/healthz", "/readyz"] {
            assert_eq!(relay.get(&format!("{prefix}{path}"), "").await.status, StatusCode::OK);
        }
        let document: Value = relay.get(&format!("{prefix}/api/v1/openapi.json"), "").await.json();
        assert_eq!(document["servers"][0]["url"], "/deep/mien");
        assert!(document["paths"]["/api/v1/sessions"].is_object());
    }
    // One route, one series, whichever way it was asked.
    let text = relay.get("/deep/mien/metrics", "").await.text();
    assert!(text.contains("method=\"POST\",endpoint=\"/api/v1/sessions\",status=\"201\"} 2"), "{text}");
    let elsewhere = relay.call(Method::GET, "/deep/mienne/api/v1/sessions", &[], "").await;
    assert_eq!(elsewhere.status, StatusCode::NOT_FOUND);
}
