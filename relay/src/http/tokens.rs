//! Capability tokens of a session: issued and revoked.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use mien_shared::api::{RevokeRequest, Session, TokenGrant, TokenRequest};
use mien_shared::limits::{DEFAULT_TOKEN_TTL, MAX_REVOKED_TOKENS, MAX_TOKEN_ID_CHARS, MAX_TOKEN_TTL};
use mien_shared::{Code, Role, SessionStatus, SourceName};

use super::body::Json;
use super::caller::Owned;
use super::problem::{ApiError, ApiResult};
use crate::app::AppState;
use crate::auth::{Caller, Credentials, Grant, Issue, Revocation, Revoked, Stamp};
use crate::config::Config;

/// Give out a capability token.
///
/// Role `owner` may do all of this session, `ingest` sends samples of one source, `watch` watches and reads. A token
/// lives for 24 hours where `ttl_s` does not say otherwise, and never for longer than the relay's `MIEN_MAX_TOKEN_TTL`.
/// What is asked for with a token of the session must not outlive that time either, counted from the first of the tokens
/// of which each was asked for with the one before; or the token itself, where that lives longer. Without `ttl_s` it then
/// lives for what is left.
#[utoipa::path(
    post, path = "/api/v1/sessions/{id}/tokens", tag = "sessions", operation_id = "createToken",
    params(("id" = mien_shared::SessionId, Path, description = "The session")),
    request_body = TokenRequest,
    responses(
        (status = 201, description = "The token", body = TokenGrant),
        (status = 409, description = "A completed session takes no more samples, so there is no `ingest` token for it"),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn create(
    State(state): State<AppState>,
    credentials: Credentials,
    Owned(session): Owned,
    Json(request): Json<TokenRequest>,
) -> ApiResult<(StatusCode, Json<TokenGrant>)> {
    if request.source.is_some() && request.role != Role::Ingest {
        return Err(ApiError::invalid("source goes only with the role ingest"));
    }
    let (_, revoked) = state.session_and_revoked(session.id).await?;
    let asked_with = credentials.caller.grant.and(credentials.stamp);
    let issue = issue(asked_with.as_ref(), &revoked);
    let longest = longest(&state.config, asked_with.as_ref(), issue);
    let ttl = match request.ttl_s.map(Duration::from_secs) {
        Some(ttl) => ttl,
        None => DEFAULT_TOKEN_TTL.min(longest),
    };
    if ttl.is_zero() || ttl > longest {
        return Err(ApiError::invalid(format!("ttl_s is not within 1 … {}", longest.as_secs())));
    }
    if request.role == Role::Ingest && session.status == SessionStatus::Completed {
        return Err(ApiError::new(Code::Conflict, "the session is completed and takes no more samples"));
    }
    let grant = grant(&state, &session, request.role, request.source.unwrap_or_default(), ttl, issue)?;
    Ok((StatusCode::CREATED, Json(grant)))
}

/// Take tokens back.
///
/// With `jti` (a claim of the token) that token of this session, without it all that were given out until now but the
/// caller's own. They are refused with 401 from then on, and sockets that they opened end with 4401, at every relay
/// within a second. User tokens are not of a session and stay.
#[utoipa::path(
    post, path = "/api/v1/sessions/{id}/revoke", tag = "sessions", operation_id = "revokeTokens",
    params(("id" = mien_shared::SessionId, Path, description = "The session")),
    request_body = RevokeRequest,
    responses((status = 204, description = "Revoked")),
    security(("bearer" = [])),
)]
pub(super) async fn revoke(
    State(state): State<AppState>,
    credentials: Credentials,
    Owned(session): Owned,
    Json(RevokeRequest { jti }): Json<RevokeRequest>,
) -> ApiResult<StatusCode> {
    let revocation = match jti {
        Some(jti) => {
            check_name(&jti)?;
            let (_, revoked) = state.session_and_revoked(session.id).await?;
            if revoked.ids.len() >= MAX_REVOKED_TOKENS && !revoked.ids.contains(&jti) {
                return Err(ApiError::new(
                    Code::QuotaExceeded,
                    format!("{MAX_REVOKED_TOKENS} tokens of the session are revoked by name; revoke all"),
                ));
            }
            Revocation::One(jti)
        }
        None => Revocation::All {
            until_ms: crate::clock::now().as_millisecond(),
            except: credentials.caller.grant.and(credentials.stamp).map(|stamp| stamp.id.to_string()),
        },
    };
    state.revoke(session.id, revocation).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn check_name(jti: &str) -> ApiResult<()> {
    if (1..=MAX_TOKEN_ID_CHARS).contains(&jti.len()) && jti.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(ApiError::invalid(format!("jti is not 1–{MAX_TOKEN_ID_CHARS} printable ASCII characters")))
    }
}

/// The life of a token unless the request says otherwise.
pub(super) fn default_ttl(config: &Config) -> Duration {
    DEFAULT_TOKEN_TTL.min(longest_ttl(config))
}

/// The longest life that a token can be given.
pub(super) fn longest_ttl(config: &Config) -> Duration {
    config.max_token_ttl.min(MAX_TOKEN_TTL)
}

/// Now, but later than what was revoked, also where another relay revoked it whose clock is ahead.
fn issue(asked_with: Option<&Stamp>, revoked: &Revoked) -> Issue {
    let now = Issue::now();
    let first = asked_with.and_then(|stamp| stamp.first).map_or(now.first, |first| first.min(now.first));
    let at_ms = revoked.until_ms.map_or(now.at_ms, |until| now.at_ms.max(until.saturating_add(1)));
    Issue { at_ms, first }
}

/// The longest life of a token that is requested with another one: a token must not live for ever by requesting its own
/// successor.
fn longest(config: &Config, asked_with: Option<&Stamp>, issue: Issue) -> Duration {
    let most = longest_ttl(config);
    let Some(stamp) = asked_with else { return most };
    let now = u64::try_from(issue.at_ms / 1_000).unwrap_or(0);
    let end = issue.first.saturating_add(most.as_secs()).max(stamp.expires);
    most.min(Duration::from_secs(end.saturating_sub(now)))
}

/// A token and when it expires, in whole seconds as in `exp`; it is still valid in that second.
pub(super) fn grant(
    state: &AppState,
    session: &Session,
    role: Role,
    source: SourceName,
    ttl: Duration,
    issue: Issue,
) -> ApiResult<TokenGrant> {
    let end = crate::clock::now().as_second() + ttl.as_secs() as i64;
    let expires_at = Timestamp::from_second(end).map_err(ApiError::internal)?;
    // The samples of a session count against its owner's rate, whoever holds the token.
    let caller =
        Caller { user: session.user_id.clone(), grant: Some(Grant { session: session.id, role, source }) };
    Ok(TokenGrant { token: state.tokens.issue(&caller, end as u64, issue), expires_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Args {
        #[command(flatten)]
        settings: crate::config::Settings,
    }

    #[test]
    fn a_chain_of_tokens_ends() {
        const DAY: u64 = 86_400;
        let secret = "0123456789abcdef0123456789abcdef";
        let args = Args::parse_from(["relay", "--token-secret", secret, "--max-token-ttl", "30d"]);
        let config = Config::resolve(args.settings).unwrap();
        let at = |day: u64, first: u64| Issue { at_ms: (day * DAY * 1_000) as i64, first: first * DAY };
        let stamp =
            |expires: u64| Stamp { id: "a".into(), issued_ms: None, expires: expires * DAY, first: None };
        let days = |asked_with: Option<u64>, issue| {
            longest(&config, asked_with.map(stamp).as_ref(), issue).as_secs() / DAY
        };
        assert_eq!(days(None, at(100, 100)), 30, "a user");
        assert_eq!(days(Some(101), at(100, 100)), 30);
        assert_eq!(days(Some(121), at(120, 100)), 10, "what is left of the chain");
        assert_eq!(days(Some(131), at(130, 100)), 1, "never less than what the token itself has");
        assert_eq!(days(Some(500), at(130, 100)), 30);
    }

    #[test]
    fn what_is_given_out_after_a_revocation_is_not_of_before_it() {
        let ahead = Revoked { until_ms: Some(i64::MAX - 1), ..Revoked::default() };
        assert_eq!(issue(None, &ahead).at_ms, i64::MAX);
        let now = Issue::now().at_ms;
        assert!(issue(None, &Revoked { until_ms: Some(5), ..Revoked::default() }).at_ms >= now);
    }
}
