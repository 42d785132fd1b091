//! Markers: notes on the timeline. They may still be written when the session is completed.

use axum::extract::State;
use axum::http::StatusCode;
use mien_shared::Code;
use mien_shared::api::{CreateMarker, Marker, MarkerList};
use mien_shared::limits::{MAX_LABEL_CHARS, MAX_SAFE_INTEGER};

use super::body::Json;
use super::caller::{MarkerId, Owned, Readable};
use super::problem::{ApiError, ApiResult};
use super::text::check_text;
use crate::app::AppState;
use crate::store::deadline::within_deadline;

/// Put a marker on the timeline.
#[utoipa::path(
    post, path = "/api/v1/sessions/{id}/markers", tag = "markers", operation_id = "createMarker",
    params(("id" = mien_shared::SessionId, Path, description = "The session")),
    request_body = CreateMarker,
    responses(
        (status = 201, description = "The marker", body = Marker),
        (status = 410, description = "The session was erased meanwhile"),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn create(
    State(state): State<AppState>,
    Owned(session): Owned,
    Json(request): Json<CreateMarker>,
) -> ApiResult<(StatusCode, Json<Marker>)> {
    if request.at > MAX_SAFE_INTEGER {
        return Err(ApiError::invalid("at is over 2^53−1"));
    }
    check_text("label", &request.label, 1..=MAX_LABEL_CHARS)?;
    let call = state.store.create_marker(session.id, request.at, &request.label, request.source.as_ref());
    let marker = within_deadline(call).await?;
    Ok((StatusCode::CREATED, Json(marker)))
}

/// All markers of a session, by time.
#[utoipa::path(
    get, path = "/api/v1/sessions/{id}/markers", tag = "markers", operation_id = "listMarkers",
    params(("id" = mien_shared::SessionId, Path, description = "The session")),
    responses((status = 200, description = "The markers", body = MarkerList)),
    security(("bearer" = [])),
)]
pub(super) async fn list(
    State(state): State<AppState>,
    Readable(session): Readable,
) -> ApiResult<Json<MarkerList>> {
    let markers = within_deadline(state.store.markers(session.id)).await?;
    Ok(Json(MarkerList { markers }))
}

/// Take a marker away.
#[utoipa::path(
    delete, path = "/api/v1/sessions/{id}/markers/{marker}", tag = "markers", operation_id = "deleteMarker",
    params(
        ("id" = mien_shared::SessionId, Path, description = "The session"),
        ("marker" = uuid::Uuid, Path, description = "The marker"),
    ),
    responses((status = 204, description = "Gone")),
    security(("bearer" = [])),
)]
pub(super) async fn delete(
    State(state): State<AppState>,
    Owned(session): Owned,
    MarkerId(marker): MarkerId,
) -> ApiResult<StatusCode> {
    let gone = match marker {
        Some(marker) => within_deadline(state.store.delete_marker(session.id, marker)).await?,
        None => false,
    };
    if gone {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::new(Code::NotFound, "the session has no such marker"))
    }
}
