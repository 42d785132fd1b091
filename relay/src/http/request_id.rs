//! The id of a request, in logs and in its answer.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName};
use mien_shared::limits::MAX_REQUEST_ID_CHARS;
use uuid::Uuid;

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the request is called in logs, for whatever outlives it.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) Arc<str>);

/// The id that the client or a proxy gave, if it is a sane one; else a new one.
pub(super) fn request_id(headers: &HeaderMap) -> String {
    let sane = |id: &&str| {
        (1..=MAX_REQUEST_ID_CHARS).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(sane);
    given.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_sane_request_ids_are_kept() {
        let kept = |id: &'static [u8]| {
            let headers = [(REQUEST_ID, HeaderValue::from_bytes(id).unwrap())].into_iter().collect();
            request_id(&headers).as_bytes() == id
        };
        assert!(kept(b"a"));
        assert!(kept(b"01HV-trace_id.7"));
        assert!(kept(&[b'x'; 64]));
        for odd in [&b""[..], &[b'x'; 65], b"a b", b"a\tb", b"<script>", "ä".as_bytes()] {
            assert!(!kept(odd), "{odd:?}");
        }
        assert_eq!(request_id(&HeaderMap::new()).len(), 36);
    }
}
