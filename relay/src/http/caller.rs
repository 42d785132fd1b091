//! Who sent a request, and the session in its path if the caller may use it.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::header;
use axum::http::request::Parts;
use mien_shared::api::Session;
use mien_shared::{Code, SessionId};
use uuid::Uuid;

use super::problem::{ApiError, ApiResult};
use crate::app::AppState;
use crate::auth::{BadToken, Caller, Credentials, Forbidden, Need, Token};
use crate::config::AuthMode;
use crate::lifecycle::SessionError;

/// Answers 401 for a bad token, also in open mode, and for none where one is required.
impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let credentials = <Credentials as FromRequestParts<AppState>>::from_request_parts(parts, state).await;
        credentials.map(|credentials| credentials.caller)
    }
}

impl FromRequestParts<AppState> for Credentials {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        // The limiter and the handler both ask, and a signature takes time.
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let read = read_credentials(parts, state)?;
        parts.extensions.insert(read.clone());
        Ok(read)
    }
}

fn read_credentials(parts: &Parts, state: &AppState) -> Result<Credentials, ApiError> {
    let refused = |detail: &str| ApiError::new(Code::Unauthorized, detail);
    let Some(value) = parts.headers.get(header::AUTHORIZATION) else {
        return match state.config.auth {
            AuthMode::Open => Ok(Credentials { caller: Caller::local(), stamp: None }),
            AuthMode::Token => Err(refused("a bearer token is required")),
        };
    };
    let (scheme, token) = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or_else(|| refused("the Authorization header is not `Bearer …`"))?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refused("the Authorization header is not `Bearer …`"));
    }
    let Token { caller, stamp } =
        state.tokens.verify(token.trim()).map_err(|bad| refused(&bad.to_string()))?;
    Ok(Credentials { caller, stamp: Some(stamp) })
}

/// The user who calls, without a capability token.
#[derive(Debug)]
pub(super) struct User(pub(super) String);

impl FromRequestParts<AppState> for User {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> ApiResult<Self> {
        let caller = <Caller as FromRequestParts<AppState>>::from_request_parts(parts, state).await?;
        Ok(Self(caller.as_user()?.to_owned()))
    }
}

/// The session in the path, for a caller who may read it.
#[derive(Debug)]
pub(super) struct Readable(pub(super) Session);

/// The session in the path, for a caller who may do anything with it.
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

/// Checks the token, then what it grants, then whether the session exists and the token was not revoked, then whose the
/// session is: in this order, so that a token of one session learns nothing about others.
async fn session(parts: &mut Parts, state: &AppState, need: Need) -> ApiResult<Session> {
    let Credentials { caller, stamp } =
        <Credentials as FromRequestParts<AppState>>::from_request_parts(parts, state).await?;
    let Some(id) = path_id(parts, state, "id").await.map(SessionId) else {
        // An id that cannot be read is no session's, and so not the one that a capability is for.
        return match &caller.grant {
            Some(_) => Err(Forbidden::OtherSession.into()),
            None => Err(SessionError::NotFound.into()),
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
    // Fails only for what is not UTF-8, which is no id either.
    let params =
        <RawPathParams as FromRequestParts<AppState>>::from_request_parts(parts, state).await.ok()?;
    let (_, text) = params.iter().find(|(key, _)| *key == name)?;
    // The hyphenated form alone: one session has one address.
    if text.len() == uuid::fmt::Hyphenated::LENGTH { text.parse().ok() } else { None }
}
