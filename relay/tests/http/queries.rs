//! Whatever stands in the address of a request for a session's data: an answer or a refusal, never a failure.
//! The fuzz target `http_query` in `tests/fuzz` uses the same desk.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::response::Parts;
use axum::http::{Request, header};
use clap::Parser;
use http_body_util::BodyExt as _;
use mien_relay::app::AppState;
use mien_relay::config::{Config, Settings};
use mien_relay::observe::metrics::Metrics;
use mien_relay::router::router;
use mien_relay::store::{Batch, Store};
use mien_shared::{Problem, Sample, SessionId};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    settings: Settings,
}

/// The relay's routes over a session with a few samples.
pub(crate) struct Desk {
    runtime: Runtime,
    router: Router,
    session: SessionId,
    _folder: TempDir,
}

impl Desk {
    pub(crate) fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("--database-url=sqlite:{}", folder.path().join("mien.db").display());
        let line = ["mien-relay", &url, "--requests-per-second=1000000", "--requests-burst=1000000"];
        let config = Config::resolve(CommandLine::parse_from(line).settings).expect("good settings");
        let (router, session) = runtime.block_on(async {
            let metrics = Metrics::new();
            let store = Store::open(&config.database_url, 2, metrics.pool_wait_seconds.clone())
                .await
                .expect("a new database");
            let session = store.create_session("local", "", "").await.expect("a session").id;
            let (source, _) =
                store.open_source(session, &"main".parse().expect("a name")).await.expect("a source");
            let sample = |seq| Ok(Sample::new(seq, 1_000 * seq, Vec::new()));
            let batch = Batch { source, items: (1..=50).map(sample).collect() };
            store.commit(&[batch]).await.expect("a commit");
            (router(AppState::new(config, store, metrics)), session)
        });
        Self { runtime, router, session, _folder: folder }
    }

    /// Asks for `rest` below the session, where that can stand in a request at all.
    pub(crate) fn ask(&self, rest: &str) {
        let Some((head, body)) = self.get(&format!("/api/v1/sessions/{}/{rest}", self.session)) else {
            return;
        };
        assert!(!head.status.is_server_error(), "{rest:?}: {}", head.status);
        if head.status.is_client_error() {
            assert_eq!(head.headers[header::CONTENT_TYPE], Problem::MEDIA_TYPE, "{rest:?}");
            let problem: Problem = serde_json::from_slice(&body).expect("a problem");
            assert_eq!(problem.status, head.status.as_u16(), "{rest:?}");
        }
    }

    fn get(&self, target: &str) -> Option<(Parts, Bytes)> {
        let request = Request::get(target).body(Body::empty()).ok()?;
        Some(self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.expect("routes cannot fail");
            let (head, body) = response.into_parts();
            (head, body.collect().await.expect("a whole body").to_bytes())
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use hyper::Method;
    use proptest::prelude::*;

    use super::Desk;
    use mien_in_process::conformance::Exchange;
    use mien_in_process::document::Document;

    thread_local! {
        static DESK: (Desk, Document) = {
            let desk = Desk::open();
            let (_, document) = desk.get("/api/v1/openapi.json").unwrap();
            (desk, Document::new(serde_json::from_slice(&document).unwrap()))
        };
    }

    /// Asks, and holds the answer to the contract.
    fn ask(rest: &str) {
        DESK.with(|(desk, document)| {
            desk.ask(rest);
            let target = format!("/api/v1/sessions/{}/{rest}", desk.session);
            if let Some((head, body)) = desk.get(&target) {
                let (status, headers) = (head.status, &head.headers);
                Exchange { method: &Method::GET, target: &target, status, headers, body: &body }
                    .check(document);
            }
        });
    }

    #[test]
    fn the_examples_are_answered() {
        let folder = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap())
            .join("../tests/fuzz/corpus/http_query");
        for entry in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            ask(&text);
        }
    }

    fn any_value() -> impl Strategy<Value = String> {
        prop_oneof![
            "[0-9]{1,20}",
            "-?[0-9]{0,3}(\\.[0-9]|e[0-9])?",
            "[a-z0-9_-]{0,34}",
            "[A-Za-z0-9_-]{0,40}={0,2}",
            "(%[0-9A-Fa-f]{2}){0,6}",
            ".{0,8}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

        #[test]
        fn any_query_is_answered_or_refused(
            place in proptest::sample::select(vec!["samples", "series", "summary", "gaps", "export", "markers", "", "tokens"]),
            pairs in proptest::collection::vec(
                (
                    proptest::sample::select(vec![
                        "source", "from", "to", "limit", "cursor", "resolution_ms", "format", "x", "",
                    ]),
                    any_value(),
                ),
                0..4,
            ),
        ) {
            let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
            ask(&format!("{place}?{}", query.join("&")));
        }

        #[test]
        fn any_path_is_answered_or_refused(rest in ".{0,40}") {
            ask(&rest);
        }
    }
}
