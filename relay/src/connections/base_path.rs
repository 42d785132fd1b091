//! The path under which a proxy serves the relay.
//!
//! Some proxies pass it on and some strip it, so both are answered: routes know nothing about it.

use axum::http::Request;
use axum::http::uri::{PathAndQuery, Uri};

/// Makes the request one for the root, if it is for something below this path.
pub(crate) fn strip<B>(base_path: &str, request: &mut Request<B>) {
    if base_path.is_empty() {
        return;
    }
    let uri = request.uri();
    let below = uri.path().strip_prefix(base_path).filter(|below| below.starts_with('/'));
    let Some(below) = below else { return };
    let target = match uri.query() {
        Some(query) => PathAndQuery::try_from(format!("{below}?{query}")),
        None => PathAndQuery::try_from(below),
    };
    let mut parts = uri.clone().into_parts();
    // Part of a parsed path, starting at a slash, is a valid path too.
    let Ok(target) = target else { return };
    parts.path_and_query = Some(target);
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_the_path_is_answered_as_if_it_were_not() {
        for (base_path, asked, expected) in [
            ("", "/mien/x", "/mien/x"),
            ("/mien", "/mien", "/mien"),
            ("/mien", "/mien/", "/"),
            ("/mien", "/mien/?a=/b", "/?a=/b"),
            ("/mien", "/mien/api/v1/sessions?limit=1", "/api/v1/sessions?limit=1"),
            ("/mien", "/mienne/x", "/mienne/x"),
            ("/mien", "/healthz", "/healthz"),
            ("/mien", "/mien//x", "//x"),
            ("/a/b", "/a/b/c", "/c"),
            ("/mien", "http://host/mien/x", "http://host/x"),
        ] {
            let mut request = Request::builder().uri(asked).body(()).unwrap();
            strip(base_path, &mut request);
            assert_eq!(request.uri().to_string(), expected, "{asked} under {base_path}");
        }
    }
}
