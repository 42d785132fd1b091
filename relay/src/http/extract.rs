//! Reading requests: bodies, queries and the session in the path, each with the contract's refusals.
//!
//! One rule decides between two codes: what cannot be read is 400 (not JSON, not the shape, not a number),
//! what reads but is not allowed is 422 (out of range, an unknown word).

use std::ops::RangeInclusive;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use mien_shared::api::{Session, SourceName};
use mien_shared::limits::{BODY_TIMEOUT, MAX_BODY_BYTES};
use mien_shared::{Code, SessionId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::app::AppState;
use crate::auth::{BadToken, Caller, Credentials, Need};
use crate::http::problem::{ApiError, ApiResult};

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

/// A query that reads itself, parameter by parameter. Unknown parameters are ignored, as unknown JSON
/// fields are.
pub(super) trait ReadQuery: Sized {
    fn read(params: &Params) -> ApiResult<Self>;
}

/// The query of a request.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<T: ReadQuery> FromRequestParts<AppState> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> ApiResult<Self> {
        let axum::extract::Query(pairs) = axum::extract::Query::try_from_uri(&parts.uri)
            .map_err(|cause| ApiError::malformed("the query cannot be read").because(cause))?;
        T::read(&Params(pairs)).map(Self)
    }
}

/// Decoded names and values of a query, in order.
#[derive(Debug)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// A parameter given twice could mean either.
    pub(super) fn text(&self, name: &str) -> ApiResult<Option<&str>> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let value = values.next();
        if values.next().is_some() {
            return Err(ApiError::malformed(format!("{name} is given more than once")));
        }
        Ok(value)
    }

    /// A whole number within `range`.
    pub(super) fn number(&self, name: &str, range: RangeInclusive<u64>) -> ApiResult<Option<u64>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ApiError::malformed(format!("{name} is not a whole number")));
        }
        // What does not fit the type is a number all the same, only out of range.
        text.parse().ok().filter(|number| range.contains(number)).map(Some).ok_or_else(|| {
            ApiError::invalid(format!("{name} is not within {} … {}", range.start(), range.end()))
        })
    }

    pub(super) fn source(&self) -> ApiResult<Option<SourceName>> {
        self.text("source")?
            .map(|text| {
                text.parse()
                    .map_err(|fault: mien_shared::api::SourceNameFault| ApiError::invalid(fault.to_string()))
            })
            .transpose()
    }
}

/// The user who calls, not by a capability token.
#[derive(Debug)]
pub(super) struct User(pub(super) String);

impl FromRequestParts<AppState> for User {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> ApiResult<Self> {
        let caller = <Caller as FromRequestParts<AppState>>::from_request_parts(parts, state).await?;
        caller.as_user().map(|user| Self(user.to_owned()))
    }
}

/// The session in the path, for a caller who may read it.
#[derive(Debug)]
pub(super) struct Readable(pub(super) Session);

/// The session in the path, for a caller who may do all with it.
#[derive(Debug)]
pub(super) struct Owned(pub(super) Session);

impl FromRequestParts<AppState> for Readable {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> ApiResult<Self> {
        session(parts, state, Need::Read).await.map(Self)
    }
}

impl FromRequestParts<AppState> for Owned {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> ApiResult<Self> {
        session(parts, state, Need::Own).await.map(Self)
    }
}

/// Token, then what it grants, then whether there is such a session and the token was not revoked, then whose it is: in
/// this order, so that a token of one session learns nothing about others.
async fn session(parts: &mut Parts, state: &AppState, need: Need) -> ApiResult<Session> {
    let Credentials { caller, stamp } =
        <Credentials as FromRequestParts<AppState>>::from_request_parts(parts, state).await?;
    let Some(id) = path_id(parts, state, "id").await.map(SessionId) else {
        // An id that cannot be read is no session's, and so not the one that a capability is for.
        return match &caller.grant {
            Some(_) => Err(ApiError::new(Code::Forbidden, "the token is for another session")),
            None => Err(ApiError::new(Code::SessionNotFound, "no session has this id")),
        };
    };
    caller.check_grant(id, need)?;
    let (session, revoked) = state.session_and_revoked(id).await?;
    if caller.grant.is_some() && stamp.is_some_and(|stamp| revoked.covers(&stamp)) {
        return Err(ApiError::new(Code::Unauthorized, BadToken.to_string()));
    }
    caller.authorize(&session, need)?;
    Ok(session)
}

/// The marker in the path; `None` where it is no id that a marker can have.
#[derive(Debug)]
pub(super) struct MarkerId(pub(super) Option<Uuid>);

impl FromRequestParts<AppState> for MarkerId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> ApiResult<Self> {
        Ok(Self(path_id(parts, state, "marker").await))
    }
}

async fn path_id(parts: &mut Parts, state: &AppState, name: &str) -> Option<Uuid> {
    // Fails only for what is no UTF-8, which is no id either.
    let params =
        <RawPathParams as FromRequestParts<AppState>>::from_request_parts(parts, state).await.ok()?;
    let (_, text) = params.iter().find(|(key, _)| *key == name)?;
    // The hyphenated form alone: one session has one address.
    if text.len() == uuid::fmt::Hyphenated::LENGTH { text.parse().ok() } else { None }
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
    fn a_parameter_is_read_or_refused_by_the_one_rule() {
        let limit = |values: &[&str]| {
            let pairs = values.iter().map(|value| ("limit".to_owned(), (*value).to_owned())).collect();
            Params(pairs).number("limit", 1..=1_000).map_err(|error| error.code)
        };
        assert_eq!(limit(&[]), Ok(None));
        assert_eq!(limit(&["1000"]), Ok(Some(1_000)));
        for unreadable in [&["abc"][..], &[""], &["-"], &["1.5"], &["+1"], &["1", "2"]] {
            assert_eq!(limit(unreadable), Err(Code::Malformed), "{unreadable:?}");
        }
        for not_allowed in ["0", "1001", "-5", "99999999999999999999999"] {
            assert_eq!(limit(&[not_allowed]), Err(Code::Invalid), "{not_allowed}");
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
