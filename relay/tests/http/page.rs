//! The page over the wire: whichever one this build carries, the real one or the one that says how to build it.

use std::io::Read;

use hyper::{Method, StatusCode};
use mien_relay::http::page::Page;
use mien_shared::Code;

use mien_in_process::Relay;

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

#[tokio::test]
async fn the_page_is_there() {
    let relay = Relay::guarded().await;
    let plain = relay.get_with("/", &[]).await;
    assert_eq!((plain.status, plain.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    assert_eq!(plain.header("cache-control"), "no-cache");
    assert!(plain.text().to_lowercase().starts_with("<!doctype html>"));
    if !Page::embedded().is_built() {
        assert!(plain.text().contains("cargo xtask run"));
    }
    for path in ["/session/0193c0de-0000-7000-8000-000000000000", "/watch/x", "/demo"] {
        assert_eq!(relay.get_with(path, &[BROWSER]).await.body, plain.body, "{path}");
    }
    relay.get_with("/demo.js", &[BROWSER]).await.is_problem(Code::NotFound);

    let head = relay.call(Method::HEAD, "/", &[], "").await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("content-length"), plain.body.len().to_string());
    assert_eq!(head.header("etag"), plain.header("etag"));

    let again = relay.get_with("/", &[("if-none-match", plain.header("etag"))]).await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(again.header("etag"), plain.header("etag"));
}

#[tokio::test]
async fn a_compressed_file_unpacks_to_the_plain_one() {
    let relay = Relay::guarded().await;
    for path in Page::embedded().paths() {
        let path = format!("/{path}");
        let plain = relay.get_with(&path, &[("accept-encoding", "identity")]).await;
        assert_eq!(plain.header("content-encoding"), "", "{path}");
        let packed = relay.get_with(&path, &[("accept-encoding", "gzip, deflate, br")]).await;
        assert_eq!(packed.header("vary"), "Accept-Encoding");
        if packed.header("content-encoding") == "br" {
            assert_ne!(packed.header("etag"), plain.header("etag"));
            let mut unpacked = Vec::new();
            brotli::Decompressor::new(&packed.body[..], 4_096).read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, plain.body, "{path}");
        } else {
            assert_eq!(packed.body, plain.body, "{path}");
        }
    }
}

#[tokio::test]
async fn any_file_can_be_had_in_parts() {
    let relay = Relay::guarded().await;
    for path in Page::embedded().paths() {
        let path = format!("/{path}");
        for coding in ["identity", "br"] {
            let coding = ("accept-encoding", coding);
            let whole = relay.get_with(&path, &[coding]).await;
            assert_eq!((whole.status, whole.header("accept-ranges")), (StatusCode::OK, "bytes"), "{path}");
            let (half, length) = (whole.body.len() / 2, whole.body.len());
            let same = ("if-range", whole.header("etag"));
            let mut parts = Vec::new();
            for (range, place) in [
                (format!("bytes=0-{}", half - 1), format!("bytes 0-{}/{length}", half - 1)),
                (format!("bytes={half}-"), format!("bytes {half}-{}/{length}", length - 1)),
            ] {
                let part = relay.get_with(&path, &[coding, same, ("range", range.as_str())]).await;
                assert_eq!(part.status, StatusCode::PARTIAL_CONTENT, "{path} {range}");
                assert_eq!(part.header("content-range"), place, "{path}");
                assert_eq!(part.header("content-length"), part.body.len().to_string());
                assert_eq!(part.header("content-encoding"), whole.header("content-encoding"));
                parts.extend_from_slice(&part.body);
            }
            assert_eq!(parts, whole.body, "{path}");
            let beyond = format!("bytes={length}-");
            let none = relay.get_with(&path, &[coding, ("range", beyond.as_str())]).await;
            assert_eq!(none.status, StatusCode::RANGE_NOT_SATISFIABLE, "{path}");
            assert_eq!(none.header("content-range"), format!("bytes */{length}"));
        }
    }
}
