//! Sessions.

use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use mien_shared::api::{CreateSession, PatchSession, Session, SessionCreated, SessionList, SessionTokens};
use mien_shared::limits::{DEFAULT_PAGE, MAX_PURPOSE_CHARS, MAX_TITLE_CHARS};
use mien_shared::schema::PageLimit;
use mien_shared::{Role, SourceName};
use utoipa::IntoParams;

use super::body::Json;
use super::caller::{Owned, Readable, User};
use super::cursor::{self, Position, SessionsCursor};
use super::problem::ApiResult;
use super::query::{Params, Query, ReadQuery, limit};
use super::text::check_text;
use super::tokens;
use crate::app::AppState;
use crate::auth::Issue;
use crate::store::SessionCursor;
use crate::store::deadline::within_deadline;

/// Create a session.
///
/// The answer carries three capability tokens: `owner` for all of the session, `ingest` to send samples of
/// the source `main`, `watch` to share. They live for 24 hours, or for as long as the relay allows where that is less;
/// other ones come from the call for tokens.
#[utoipa::path(
    post, path = "/api/v1/sessions", tag = "sessions", operation_id = "createSession",
    request_body = CreateSession,
    responses((status = 201, description = "Created; `Location` is its address", body = SessionCreated)),
    security(("bearer" = [])),
)]
pub(super) async fn create(
    State(state): State<AppState>,
    User(user): User,
    Json(request): Json<CreateSession>,
) -> ApiResult<(StatusCode, [(HeaderName, String); 1], Json<SessionCreated>)> {
    check_text("title", &request.title, 0..=MAX_TITLE_CHARS)?;
    check_text("purpose", &request.purpose, 0..=MAX_PURPOSE_CHARS)?;
    let session =
        within_deadline(state.store.create_session(&user, &request.title, &request.purpose)).await?;
    let (ttl, issue) = (tokens::default_ttl(&state.config), Issue::now());
    let token = |role| {
        tokens::grant(&state, &session, role, SourceName::default(), ttl, issue).map(|grant| grant.token)
    };
    let tokens = SessionTokens {
        owner: token(Role::Owner)?,
        ingest: token(Role::Ingest)?,
        watch: token(Role::Watch)?,
    };
    let location = format!("{}/api/v1/sessions/{}", state.config.base_path, session.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(SessionCreated { session, tokens })))
}

/// Which page of the list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Rows of a page.
    #[param(value_type = Option<PageLimit>, inline)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[param(value_type = Option<SessionsCursor>, inline)]
    cursor: Option<SessionCursor>,
}

impl ReadQuery for ListQuery {
    fn read(params: &Params) -> ApiResult<Self> {
        Ok(Self { limit: limit(params)?, cursor: cursor::read(params)? })
    }
}

/// List my sessions, newest first.
#[utoipa::path(
    get, path = "/api/v1/sessions", tag = "sessions", operation_id = "listSessions",
    params(ListQuery),
    responses((status = 200, description = "A page of the caller's sessions", body = SessionList)),
    security(("bearer" = [])),
)]
pub(super) async fn list(
    State(state): State<AppState>,
    User(user): User,
    Query(query): Query<ListQuery>,
) -> ApiResult<Json<SessionList>> {
    let page =
        within_deadline(state.store.list_sessions(&user, query.cursor, query.limit.unwrap_or(DEFAULT_PAGE)))
            .await?;
    Ok(Json(SessionList { sessions: page.rows, next: page.next.map(|position| position.write()) }))
}

/// Read a session.
#[utoipa::path(
    get, path = "/api/v1/sessions/{id}", tag = "sessions", operation_id = "getSession",
    params(("id" = mien_shared::SessionId, Path, description = "The session")),
    responses((status = 200, description = "The session", body = Session)),
    security(("bearer" = [])),
)]
pub(super) async fn read(Readable(session): Readable) -> Json<Session> {
    Json(session)
}

/// Rename or complete a session.
///
/// Completing ends its sockets: sources at once, watchers once they have all samples. It cannot be undone;
/// completing twice changes nothing.
#[utoipa::path(
    patch, path = "/api/v1/sessions/{id}", tag = "sessions", operation_id = "updateSession",
    params(("id" = mien_shared::SessionId, Path, description = "The session")),
    request_body = PatchSession,
    responses(
        (status = 200, description = "The session as it is now", body = Session),
        (status = 409, description = "A completed session cannot become active again"),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn update(
    State(state): State<AppState>,
    Owned(session): Owned,
    Json(patch): Json<PatchSession>,
) -> ApiResult<Json<Session>> {
    if let Some(title) = &patch.title {
        check_text("title", title, 0..=MAX_TITLE_CHARS)?;
    }
    Ok(Json(state.update_session(session.id, &patch).await?))
}

/// Erase a session with all its samples and markers, and end its sockets.
#[utoipa::path(
    delete, path = "/api/v1/sessions/{id}", tag = "sessions", operation_id = "eraseSession",
    params(("id" = mien_shared::SessionId, Path, description = "The session")),
    responses((status = 204, description = "Erased")),
    security(("bearer" = [])),
)]
pub(super) async fn erase(State(state): State<AppState>, Owned(session): Owned) -> ApiResult<StatusCode> {
    state.erase_session(session.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
