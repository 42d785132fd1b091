//! Who calls, and what they may do.
//!
//! What a token says is in `auth/token.rs`, which were revoked in `auth/revoked.rs`.

mod hs256;
mod revoked;
mod token;

use axum::extract::FromRequestParts;
use axum::http::{header, request::Parts};
use mien_shared::api::{Session, SourceName};
use mien_shared::{Code, Role, SessionId};

pub use revoked::{Revocation, Revoked};
pub use token::{BadToken, Issue, Stamp, Token, TokenKey};

use crate::app::AppState;
use crate::config::AuthMode;
use crate::http::problem::ApiError;

/// The user of whoever comes without a token in open mode.
pub const LOCAL_USER: &str = "local";

/// What a capability token grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub session: SessionId,
    pub role: Role,
    pub source: SourceName,
}

/// Whoever sent a request or opened a socket. As an extractor it answers 401 for a bad token, also in open
/// mode, and for none where one is required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub user: String,
    /// `None`: a user, who may do all with their own sessions.
    pub grant: Option<Grant>,
}

/// A caller, and by which token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub caller: Caller,
    /// `None` for whoever comes without one in open mode.
    pub stamp: Option<Stamp>,
}

/// What a call needs of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Read samples and what follows from them: the owner, or `watch`.
    Read,
    /// Change, complete, erase, give tokens: the owner.
    Own,
}

impl Caller {
    /// The user of open mode.
    pub fn local() -> Self {
        Self { user: LOCAL_USER.to_owned(), grant: None }
    }

    /// A user who holds no capability token, so may create and list sessions.
    pub fn as_user(&self) -> Result<&str, ApiError> {
        match self.grant {
            None => Ok(&self.user),
            Some(_) => Err(ApiError::new(Code::Forbidden, "a token of one session cannot do this")),
        }
    }

    /// Refuses a capability token of another session or of too small a role, before anything is looked up.
    pub fn check_grant(&self, session: SessionId, need: Need) -> Result<(), ApiError> {
        let Some(grant) = &self.grant else { return Ok(()) };
        if grant.session != session {
            return Err(ApiError::new(Code::Forbidden, "the token is for another session"));
        }
        let allowed = match need {
            Need::Read => matches!(grant.role, Role::Owner | Role::Watch),
            Need::Own => grant.role == Role::Owner,
        };
        if allowed {
            Ok(())
        } else {
            Err(ApiError::new(Code::Forbidden, "the token's role does not allow this"))
        }
    }

    /// Whether this caller may do what they ask with this session.
    pub fn authorize(&self, session: &Session, need: Need) -> Result<(), ApiError> {
        self.check_grant(session.id, need)?;
        if self.grant.is_none() && self.user != session.user_id {
            return Err(ApiError::new(Code::Forbidden, "the session is another user's"));
        }
        Ok(())
    }
}

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
        // A request is asked for them by its limit and by its handler, and a signature takes time.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> SessionId {
        SessionId(uuid::Uuid::now_v7())
    }

    #[test]
    fn a_capability_reaches_no_further_than_it_says() {
        let id = session();
        let caller = |role| Caller {
            user: "alice".to_owned(),
            grant: Some(Grant { session: id, role, source: SourceName::default() }),
        };
        assert!(caller(Role::Owner).check_grant(id, Need::Own).is_ok());
        assert!(caller(Role::Watch).check_grant(id, Need::Read).is_ok());
        assert!(caller(Role::Watch).check_grant(id, Need::Own).is_err());
        assert!(caller(Role::Ingest).check_grant(id, Need::Read).is_err());
        assert!(caller(Role::Owner).check_grant(session(), Need::Read).is_err());
        assert!(caller(Role::Owner).as_user().is_err());
    }
}
