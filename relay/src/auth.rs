//! Who calls, and what they may do.
//!
//! A token is a JWT (HS256 alone, no leeway). A *user token* names a user; a *capability token* also names
//! one session and a role in it. Tokens never reach a log, and why one is bad is never told apart to the
//! caller.

mod hs256;

use axum::extract::FromRequestParts;
use axum::http::{header, request::Parts};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use mien_shared::api::{Session, SourceName};
use mien_shared::{Code, Role, SessionId};
use serde::{Deserialize, Serialize};

use crate::app::AppState;
use crate::problem::ApiError;

/// `aud` of every token.
const AUDIENCE: &str = "mien";
/// The user of whoever comes without a token in open mode.
pub const LOCAL_USER: &str = "local";

/// How callers are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum AuthMode {
    /// Whoever reaches the relay is the user `local`. Only on loopback.
    Open,
    /// A user token is wanted.
    Token,
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub aud: String,
    /// The user.
    pub sub: String,
    /// Unix seconds.
    pub exp: u64,
    /// Only in capability tokens, as are the two below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Absent means `main`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceName>,
}

/// What a capability token grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub session: SessionId,
    pub role: Role,
    pub source: SourceName,
}

/// Whoever sent a request or opened a socket. As an extractor it answers 401 for a bad token, also in open
/// mode, and for none where one is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub user: String,
    /// `None`: a user, who may do all with their own sessions.
    pub grant: Option<Grant>,
}

/// A token that is not to be believed. Why is nobody's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token is missing, bad or expired")]
pub struct BadToken;

/// Signs and reads tokens.
pub struct TokenKey {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey(hidden)")
    }
}

impl TokenKey {
    /// The key is the secret's bytes as they are; the configuration has checked their number.
    pub fn new(secret: &[u8]) -> Self {
        hs256::install();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.validate_nbf = true;
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation,
        }
    }

    /// A token for `caller` that ends at `exp`, Unix seconds.
    pub fn sign(&self, caller: &Caller, exp: u64) -> String {
        let grant = caller.grant.as_ref();
        let claims = Claims {
            aud: AUDIENCE.to_owned(),
            sub: caller.user.clone(),
            exp,
            sid: grant.map(|grant| grant.session),
            role: grant.map(|grant| grant.role),
            source: grant.filter(|grant| grant.role == Role::Ingest).map(|grant| grant.source.clone()),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .expect("claims are plain JSON and the key fits the algorithm")
    }

    pub fn read(&self, token: &str) -> Result<Caller, BadToken> {
        let data = jsonwebtoken::decode::<ReadClaims>(token, &self.decoding, &self.validation)
            .map_err(|_| BadToken)?;
        let ReadClaims { sub, sid, role, source } = data.claims;
        // No database takes a name with a zero byte in it.
        if sub.is_empty() || sub.contains('\0') {
            return Err(BadToken);
        }
        let grant = match (sid, role) {
            (Some(session), Some(role)) => Some(Grant { session, role, source: source.unwrap_or_default() }),
            (None, None) => None,
            // Half a capability is a mistake of whoever made it, never the whole user.
            _ => return Err(BadToken),
        };
        Ok(Caller { user: sub, grant })
    }
}

/// The claims beyond those that [`Validation`] checks.
#[derive(Deserialize)]
struct ReadClaims {
    sub: String,
    #[serde(default)]
    sid: Option<SessionId>,
    #[serde(default)]
    role: Option<Role>,
    #[serde(default)]
    source: Option<SourceName>,
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
        let refused = |detail: &str| ApiError::new(Code::Unauthorized, detail);
        let Some(value) = parts.headers.get(header::AUTHORIZATION) else {
            return match state.config.auth {
                AuthMode::Open => Ok(Self::local()),
                AuthMode::Token => Err(refused("a bearer token is wanted")),
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
        state.tokens.read(token.trim()).map_err(|bad| refused(&bad.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
    const FUTURE: u64 = 4_000_000_000;

    fn session() -> SessionId {
        SessionId(uuid::Uuid::now_v7())
    }

    fn signed(claims: &serde_json::Value) -> String {
        let header = Header::new(Algorithm::HS256);
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(SECRET)).unwrap()
    }

    /// With the right key and another algorithm.
    fn signed_otherwise(claims: &serde_json::Value) -> String {
        use base64::engine::{Engine, general_purpose::URL_SAFE_NO_PAD};
        use hmac::{Hmac, KeyInit, Mac};

        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS512","typ":"JWT"}"#);
        let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mac = Hmac::<sha2::Sha512>::new_from_slice(SECRET).unwrap().chain_update(&message).finalize();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.into_bytes()))
    }

    #[test]
    fn a_token_reads_back() {
        let key = TokenKey::new(SECRET);
        let user = Caller { user: "alice".to_owned(), grant: None };
        assert_eq!(key.read(&key.sign(&user, FUTURE)), Ok(user));
        let grant = Grant { session: session(), role: Role::Ingest, source: "cam-2".parse().unwrap() };
        let capability = Caller { user: "alice".to_owned(), grant: Some(grant) };
        assert_eq!(key.read(&key.sign(&capability, FUTURE)), Ok(capability));
    }

    #[test]
    fn a_bad_token_is_not_believed() {
        let key = TokenKey::new(SECRET);
        let good = serde_json::json!({"aud": "mien", "sub": "a", "exp": FUTURE});
        assert!(key.read(&signed(&good)).is_ok());
        assert_eq!(key.read(&signed_otherwise(&good)), Err(BadToken));
        let change = |name: &str, value: serde_json::Value| {
            let mut claims = good.clone();
            claims[name] = value;
            key.read(&signed(&claims))
        };
        let remove = |name: &str| {
            let mut claims = good.clone();
            claims.as_object_mut().unwrap().remove(name);
            key.read(&signed(&claims))
        };
        let now = crate::wall::now().as_second();
        for bad in [
            change("exp", (now - 1).into()),
            change("aud", "other".into()),
            change("sub", "".into()),
            change("nbf", (now + 600).into()),
            change("role", "owner".into()),
            change("sid", session().to_string().into()),
            change("sub", "a\0b".into()),
            remove("exp"),
            remove("aud"),
            remove("sub"),
            key.read(""),
            key.read("a.b.c"),
            TokenKey::new(&[7; 32]).read(&signed(&good)),
        ] {
            assert_eq!(bad, Err(BadToken));
        }
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
