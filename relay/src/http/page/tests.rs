//! The page's answers over a small made-up page.

use std::sync::LazyLock;

use axum::http::StatusCode;
use bytes::Bytes;

use super::asset::{FOREVER, HTML, REVALIDATE, is_hashed};
use super::range::Wanted;
use super::*;

static FILES: LazyLock<[Asset; 4]> = LazyLock::new(|| {
    [
        packed("app-0123456789abcdef.js", "a", "let a = 1;"),
        Asset::plain("app-0123456789abcdef_bg.wasm", "w", b"\0asm"),
        packed("index.html", "i", "<!doctype html>"),
        Asset::plain("models/face.onnx", "o", b"onnx"),
    ]
});

fn packed(path: &'static str, hash: &'static str, text: &str) -> Asset {
    let mut packed = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams::default();
    brotli::BrotliCompress(&mut text.as_bytes(), &mut packed, &parameters).unwrap();
    Asset::packed(path, hash, text.len(), packed.leak())
}

async fn ask(method: &Method, path: &str, headers: &[(header::HeaderName, &'static str)]) -> Response {
    let headers =
        headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
    Page::new(&*FILES).unwrap().answer(method, &path.parse().unwrap(), &headers).await
}

async fn get(path: &str, headers: &[(header::HeaderName, &'static str)]) -> Response {
    ask(&Method::GET, path, headers).await
}

async fn body(response: Response) -> Bytes {
    axum::body::to_bytes(response.into_body(), 10_000).await.unwrap()
}

#[tokio::test]
async fn encodings_are_negotiated() {
    for (accepted, encoding) in [
        ("br", Some("br")),
        ("gzip, deflate, BR;q=0.5", Some("br")),
        ("*", Some("br")),
        ("*, br;q=0", None),
        ("br;q=0.0", None),
        ("gzip", None),
        ("", None),
    ] {
        let response = get("/app-0123456789abcdef.js", &[(header::ACCEPT_ENCODING, accepted)]).await;
        assert_eq!(response.headers()[header::VARY], "Accept-Encoding");
        assert_eq!(response.headers().get(header::CONTENT_ENCODING).map(|v| v.to_str().unwrap()), encoding);
        let expected = if encoding.is_some() { FILES[0].brotli.unwrap() } else { b"let a = 1;" };
        assert_eq!(response.headers()[header::CONTENT_LENGTH], expected.len().to_string());
        assert_eq!(body(response).await, expected, "{accepted}");
    }
}

#[tokio::test]
async fn below_a_path_the_index_says_so_under_a_tag_of_its_own() {
    static BASED: LazyLock<[Asset; 1]> =
        LazyLock::new(|| [packed("index.html", "i", "<!doctype html><base href=\"/\"><a href=\"/\">")]);
    let page = Page::new(&*BASED).unwrap();
    let mut tags = Vec::new();
    for (base_path, expected) in [("", "/"), ("/mien", "/mien/"), ("/a/b", "/a/b/")] {
        let target = Uri::from_static("/watch/x");
        let headers = [(header::ACCEPT, HeaderValue::from_static("text/html"))].into_iter().collect();
        let response = page.under(base_path).answer(&Method::GET, &target, &headers).await;
        tags.push(response.headers()[header::ETAG].clone());
        let html = body(response).await;
        assert_eq!(html, format!("<!doctype html><base href=\"{expected}\"><a href=\"/\">"));
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 3, "{tags:?}");
}

#[tokio::test]
async fn only_hashed_names_are_kept_for_ever() {
    for (path, hashed) in [
        ("app-0123456789abcdef.js", true),
        ("mien-app-0123456789abcdef_bg.wasm", true),
        ("snippets/x-0123456789abcdef.js", true),
        ("index.html", false),
        ("app-0123456789abcdeg.js", false),
        ("app-0123456789abcde.js", false),
        ("app-0123456789abcdef0.js", false),
        ("0123456789abcdef.js", false),
        ("face-short-range.onnx", false),
    ] {
        assert_eq!(is_hashed(path), hashed, "{path}");
    }
    assert_eq!(get("/app-0123456789abcdef_bg.wasm", &[]).await.headers()[header::CACHE_CONTROL], FOREVER);
    assert_eq!(get("/", &[]).await.headers()[header::CACHE_CONTROL], REVALIDATE);
}

#[tokio::test]
async fn a_known_tag_is_not_sent_again() {
    let first = get("/", &[]).await;
    assert_eq!(first.headers()[header::ETAG], "\"i\"");
    for known in ["\"i\"", "W/\"i\"", "\"x\", \"i\"", "*"] {
        let again = get("/", &[(header::IF_NONE_MATCH, known)]).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{known}");
        assert_eq!(again.headers()[header::ETAG], "\"i\"");
        assert!(body(again).await.is_empty());
    }
    assert_eq!(get("/", &[(header::IF_NONE_MATCH, "\"i-br\"")]).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_pages_own_routes_show_the_index() {
    let browser = [(header::ACCEPT, "text/html,application/xhtml+xml;q=0.9")];
    for path in ["/", "/session/1", "/watch/1", "/demo"] {
        assert_eq!(get(path, &browser).await.headers()[header::CONTENT_TYPE], HTML, "{path}");
    }
    for path in ["/api", "/api/v1/none", "/missing.js", "/models/none.onnx", "//", "/../secret.txt"] {
        let expected = if path == "//" { StatusCode::OK } else { StatusCode::NOT_FOUND };
        assert_eq!(get(path, &browser).await.status(), expected, "{path}");
    }
    assert_eq!(
        get("/session/1", &[(header::ACCEPT, "application/json")]).await.status(),
        StatusCode::NOT_FOUND
    );
    assert_eq!(get("/session/1", &[]).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(get("/", &[(header::ACCEPT, "application/json")]).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn types_are_what_browsers_insist_on() {
    assert_eq!(
        get("/app-0123456789abcdef_bg.wasm", &[]).await.headers()[header::CONTENT_TYPE],
        "application/wasm"
    );
    assert_eq!(
        get("/models/face.onnx", &[]).await.headers()[header::CONTENT_TYPE],
        "application/octet-stream"
    );
}

#[tokio::test]
async fn head_tells_the_length_and_sends_nothing() {
    let response = ask(&Method::HEAD, "/", &[]).await;
    assert_eq!(response.headers()[header::CONTENT_LENGTH], "15");
    assert!(body(response).await.is_empty());
    let refused = ask(&Method::POST, "/", &[]).await;
    assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(refused.headers()[header::ALLOW], "GET,HEAD");
    assert_eq!(ask(&Method::POST, "/nothing.js", &[]).await.status(), StatusCode::NOT_FOUND);
}

/// What `bytes=…` gives of the ten bytes of `let a = 1;`: status, body and `Content-Range`.
const RANGES: [(&str, u16, &str, &str); 24] = [
    ("bytes=0-0", 206, "l", "bytes 0-0/10"),
    ("bytes=0-1", 206, "le", "bytes 0-1/10"),
    ("bytes=4-6", 206, "a =", "bytes 4-6/10"),
    ("bytes=8-", 206, "1;", "bytes 8-9/10"),
    ("bytes=0-", 206, "let a = 1;", "bytes 0-9/10"),
    ("bytes=-2", 206, "1;", "bytes 8-9/10"),
    ("bytes=-99", 206, "let a = 1;", "bytes 0-9/10"),
    ("bytes=9-99999999999999999999999", 206, ";", "bytes 9-9/10"),
    ("BYTES=8-9", 206, "1;", "bytes 8-9/10"),
    ("bytes= 8-9 ,", 206, "1;", "bytes 8-9/10"),
    ("bytes=10-", 416, "", "bytes */10"),
    ("bytes=10-11", 416, "", "bytes */10"),
    ("bytes=99999999999999999999999-", 416, "", "bytes */10"),
    ("bytes=-0", 416, "", "bytes */10"),
    ("bytes=0-1,8-9", 200, "let a = 1;", ""),
    ("bytes=5-4", 200, "let a = 1;", ""),
    ("bytes=-", 200, "let a = 1;", ""),
    ("bytes=", 200, "let a = 1;", ""),
    ("bytes=+1-2", 200, "let a = 1;", ""),
    ("bytes=1 - 2", 200, "let a = 1;", ""),
    ("bytes=a-b", 200, "let a = 1;", ""),
    ("bytes 0-1", 200, "let a = 1;", ""),
    ("lines=0-1", 200, "let a = 1;", ""),
    ("", 200, "let a = 1;", ""),
];

#[tokio::test]
async fn one_range_is_answered_and_what_cannot_be_read_is_ignored() {
    let text = |response: &Response, name: header::HeaderName| {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
    };
    for (range, status, part, place) in RANGES {
        let response = get("/app-0123456789abcdef.js", &[(header::RANGE, range)]).await;
        assert_eq!(response.status().as_u16(), status, "{range}");
        assert_eq!(text(&response, header::CONTENT_RANGE), place, "{range}");
        assert_eq!(text(&response, header::ACCEPT_RANGES), "bytes", "{range}");
        if status != 416 {
            assert_eq!(text(&response, header::CONTENT_LENGTH), part.len().to_string(), "{range}");
            assert_eq!(text(&response, header::ETAG), "\"a\"", "{range}");
            assert_eq!(text(&response, header::CONTENT_TYPE), "text/javascript; charset=utf-8");
            assert_eq!(response.headers()[header::CACHE_CONTROL], FOREVER);
        }
        assert_eq!(body(response).await, part, "{range}");
    }
    let twice = [(header::RANGE, "bytes=0-1"), (header::RANGE, "bytes=2-3")];
    let mut headers = HeaderMap::new();
    for (name, value) in twice {
        headers.append(name, HeaderValue::from_static(value));
    }
    assert_eq!(range::wanted(&headers, 10, "\"a\""), Wanted::Whole, "two fields are several ranges");
}

#[tokio::test]
async fn a_range_is_one_of_the_representation_that_was_selected() {
    let path = "/app-0123456789abcdef.js";
    let packed = FILES[0].brotli.unwrap();
    let response = get(path, &[(header::ACCEPT_ENCODING, "br"), (header::RANGE, "bytes=2-4")]).await;
    assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(response.headers()[header::CONTENT_ENCODING], "br");
    assert_eq!(response.headers()[header::ETAG], "\"a-br\"");
    assert_eq!(response.headers()[header::CONTENT_RANGE], format!("bytes 2-4/{}", packed.len()));
    assert_eq!(body(response).await, &packed[2..5]);
    let media = [(header::ACCEPT_ENCODING, "identity;q=1, *;q=0"), (header::RANGE, "bytes=1-")];
    assert_eq!(body(get("/models/face.onnx", &media).await).await, "nnx");
}

#[tokio::test]
async fn a_part_is_only_sent_of_what_is_still_the_same() {
    let path = "/app-0123456789abcdef.js";
    for (known, status) in [
        ("\"a\"", 206),
        ("\"b\"", 200),
        ("W/\"a\"", 200),
        ("\"a-br\"", 200),
        ("Sat, 28 Nov 2026 10:00:00 GMT", 200),
        ("*", 200),
    ] {
        let response = get(path, &[(header::RANGE, "bytes=8-"), (header::IF_RANGE, known)]).await;
        assert_eq!(response.status().as_u16(), status, "{known}");
        let whole = if status == 206 { "1;" } else { "let a = 1;" };
        assert_eq!(body(response).await, whole, "{known}");
    }
    // A range that cannot be had is none of a file that has changed.
    let beyond = [(header::RANGE, "bytes=99-"), (header::IF_RANGE, "\"b\"")];
    assert_eq!(get(path, &beyond).await.status(), StatusCode::OK);
    for range in ["bytes=8-", "bytes=99-"] {
        let known = get(path, &[(header::RANGE, range), (header::IF_NONE_MATCH, "\"a\"")]).await;
        assert_eq!(known.status(), StatusCode::NOT_MODIFIED, "{range}");
        assert!(known.headers().get(header::CONTENT_RANGE).is_none());
    }
}

#[tokio::test]
async fn only_get_knows_ranges_and_head_says_so() {
    for range in ["bytes=8-", "bytes=99-"] {
        let head = ask(&Method::HEAD, "/app-0123456789abcdef.js", &[(header::RANGE, range)]).await;
        assert_eq!(head.status(), StatusCode::OK, "{range}");
        assert_eq!(head.headers()[header::ACCEPT_RANGES], "bytes");
        assert_eq!(head.headers()[header::CONTENT_LENGTH], "10");
        assert!(body(head).await.is_empty());
    }
}

#[test]
fn nothing_has_no_part() {
    for (range, wanted) in
        [("bytes=0-", Wanted::Nothing), ("bytes=-0", Wanted::Nothing), ("bytes=-5", Wanted::Whole)]
    {
        let headers = [(header::RANGE, HeaderValue::from_static(range))].into_iter().collect();
        assert_eq!(range::wanted(&headers, 0, "\"e\""), wanted, "{range}");
    }
}

#[test]
fn a_relay_without_a_page_says_how_to_build_one() {
    let page = Page { assets: &UNBUILT, index: &UNBUILT[0] };
    assert!(!page.is_built());
    let text = std::str::from_utf8(page.index.plain.get().unwrap()).unwrap();
    assert!(text.contains("cargo xtask run"));
    assert!(!text.contains("<style") && !text.contains("<script") && !text.contains("style="));
    assert!(page.find("/unbuilt.css", &HeaderMap::new()).is_some());
    assert!(Page::new(&[]).is_none());
}
