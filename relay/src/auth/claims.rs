//! The claims of a token, as they are written and read.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mien_shared::api::SourceName;
use mien_shared::limits::{MAX_TOKEN_ID_CHARS, NOT_BEFORE_LEEWAY};
use mien_shared::{Role, SessionId};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::caller::{Caller, Grant};
use super::stamp::Stamp;
use super::token::{BadToken, Token};

/// An `iat` further ahead than clocks differ counts as absent: no token may be post-dated to escape a revocation of all
/// that were issued until now.
const MAX_AHEAD_MS: i64 = 60_000;

#[derive(Serialize)]
pub(super) struct Claims<'a> {
    pub(super) aud: &'static str,
    /// The user.
    pub(super) sub: &'a str,
    /// Unix seconds.
    pub(super) exp: u64,
    pub(super) iat: f64,
    pub(super) jti: Uuid,
    pub(super) auth_time: u64,
    /// Only in capability tokens, as are the two below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sid: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<Role>,
    /// Absent means `main`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<&'a SourceName>,
}

/// The claims, of which [`Validation`] has checked `aud` and `exp`.
#[derive(Deserialize)]
pub(super) struct ReadClaims {
    sub: String,
    exp: Value,
    #[serde(default)]
    nbf: Claim<f64>,
    #[serde(default)]
    sid: Claim<SessionId>,
    #[serde(default)]
    role: Claim<Role>,
    #[serde(default)]
    source: Claim<SourceName>,
    // Embedders have put anything into these and were accepted, so what cannot be read counts as absent.
    #[serde(default)]
    jti: Value,
    #[serde(default)]
    iat: Value,
    #[serde(default)]
    auth_time: Value,
}

/// A claim that is left out or has a value. `null` is neither: the author of `"sid": null` meant to name a session, and
/// must not get the whole user.
#[derive(Default)]
enum Claim<T> {
    #[default]
    Absent,
    Is(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Claim<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::Is)
    }
}

impl ReadClaims {
    pub(super) fn verify(self, token: &str) -> Result<Token, BadToken> {
        let Self { sub, exp, nbf, sid, role, source, jti, iat, auth_time } = self;
        let now = crate::clock::now();
        // No database takes a name with a zero byte.
        if sub.is_empty() || sub.contains('\0') || !has_begun(&nbf, now.as_second()) {
            return Err(BadToken);
        }
        let grant = match (sid, role, source) {
            (Claim::Is(session), Claim::Is(role), source) => {
                let source = match source {
                    Claim::Is(source) => source,
                    Claim::Absent => SourceName::default(),
                };
                Some(Grant { session, role, source })
            }
            (Claim::Absent, Claim::Absent, Claim::Absent) => None,
            // Half a capability is a mistake, and must never become the whole user.
            _ => return Err(BadToken),
        };
        let is_name = |jti: &&str| (1..=MAX_TOKEN_ID_CHARS).contains(&jti.len());
        let id = jti.as_str().filter(is_name).map_or_else(|| digest(token), Arc::from);
        let issued_ms = iat.as_f64().map(|iat| (iat * 1_000.0).round() as i64);
        let stamp = Stamp {
            id,
            issued_ms: issued_ms.filter(|at| *at <= now.as_millisecond() + MAX_AHEAD_MS),
            expires: whole(&exp).ok_or(BadToken)?,
            first: whole(&auth_time).or_else(|| whole(&iat)),
        };
        Ok(Token { caller: Caller { user: sub, grant }, stamp })
    }
}

fn has_begun(nbf: &Claim<f64>, now: i64) -> bool {
    match nbf {
        Claim::Absent => true,
        Claim::Is(nbf) => *nbf >= 0.0 && *nbf <= (now as f64) + NOT_BEFORE_LEEWAY.as_secs_f64(),
    }
}

/// A NumericDate as jsonwebtoken 11.1 rounds it.
fn whole(date: &Value) -> Option<u64> {
    date.as_u64().or_else(|| date.as_f64().filter(|date| *date >= 0.0).map(|date| date.round() as u64))
}

/// Identifies a token by what was signed. Not by its whole text: base64 has several spellings of one signature.
fn digest(token: &str) -> Arc<str> {
    let signed = token.rsplit_once('.').map_or(token, |(signed, _)| signed);
    format!("sha256 {}", URL_SAFE_NO_PAD.encode(Sha256::digest(signed))).into()
}
