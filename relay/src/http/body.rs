//! JSON bodies.
//!
//! One rule decides between two codes: what cannot be read is 400 (not JSON, not the shape, not a number),
//! what reads but is not allowed is 422 (out of range, an unknown word).

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use mien_shared::Code;
use mien_shared::limits::{BODY_TIMEOUT, MAX_BODY_BYTES};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::problem::{ApiError, ApiResult};
use crate::app::AppState;

/// A JSON object as body, of at most [`MAX_BODY_BYTES`]; as an answer, any value.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<AppState> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &AppState) -> ApiResult<Self> {
        if !is_json(request.headers()) {
            return Err(ApiError::plain(Code::UnsupportedMediaType));
        }
        let reading = read_body(request.into_body());
        let bytes = tokio::time::timeout(BODY_TIMEOUT, reading).await.map_err(|_| {
            ApiError::new(Code::Timeout, format!("the body took over {} s", BODY_TIMEOUT.as_secs()))
        })??;
        read_object(&bytes).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

async fn read_body(body: Body) -> ApiResult<Vec<u8>> {
    let too_large =
        || ApiError::new(Code::PayloadTooLarge, format!("the body has more than {MAX_BODY_BYTES} bytes"));
    // What the head announces is believed only where it is too much.
    if axum::body::HttpBody::size_hint(&body).lower() > MAX_BODY_BYTES as u64 {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|cause| ApiError::malformed("the body broke off").because(cause))?;
        if bytes.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn read_object<T: DeserializeOwned>(bytes: &[u8]) -> ApiResult<T> {
    // serde would take a list for a struct, field by field.
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => serde_json::from_slice(bytes).map_err(|cause| read_fault(&cause)),
        Some(_) => Err(ApiError::malformed("the body is not a JSON object")),
        None => Err(ApiError::malformed("the body is empty")),
    }
}

fn read_fault(cause: &serde_json::Error) -> ApiError {
    if cause.classify() != serde_json::error::Category::Data {
        return ApiError::malformed(format!(
            "the body is not JSON at line {} column {}",
            cause.line(),
            cause.column()
        ));
    }
    let text = cause.to_string();
    let shape =
        ["invalid type", "missing field", "duplicate field"].iter().any(|start| text.starts_with(start));
    if shape { ApiError::malformed(text) } else { ApiError::invalid(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mien_shared::api::{CreateSession, TokenRequest};

    fn code<T: DeserializeOwned>(body: &str) -> Option<Code> {
        read_object::<T>(body.as_bytes()).err().map(|error| error.code)
    }

    #[test]
    fn a_body_is_read_or_refused_by_the_one_rule() {
        assert_eq!(code::<CreateSession>(r#" {"title":"a","unknown":[1]}"#), None);
        for unreadable in
            ["", "[]", r#"["a","b"]"#, "null", "{", r#"{"title":1}"#, r#"{"title":"a","title":"b"}"#]
        {
            assert_eq!(code::<CreateSession>(unreadable), Some(Code::Malformed), "{unreadable}");
        }
        assert_eq!(code::<TokenRequest>("{}"), Some(Code::Malformed));
        for not_allowed in
            [r#"{"role":"admin"}"#, r#"{"role":"ingest","source":"A b"}"#, r#"{"role":"watch","ttl_s":-1}"#]
        {
            assert_eq!(code::<TokenRequest>(not_allowed), Some(Code::Invalid), "{not_allowed}");
        }
    }

    #[test]
    fn media_types_may_have_parameters() {
        for (kind, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("text/plain", false),
            ("application/jsonp", false),
        ] {
            let headers = [(header::CONTENT_TYPE, kind.parse().unwrap())].into_iter().collect();
            assert_eq!(is_json(&headers), expected, "{kind}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
