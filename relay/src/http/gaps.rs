//! Gaps: what never came, page by page.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use mien_shared::api::{GapList, SourceName};
use mien_shared::limits::DEFAULT_PAGE;
use mien_shared::schema::PageLimit;
use utoipa::IntoParams;

use super::body::Json;
use super::caller::Readable;
use super::cursor::{self, Position, SamplesCursor};
use super::problem::ApiResult;
use super::query::{Params, Query, ReadQuery, limit};
use super::read_slot::{read_slot, until_written};
use crate::app::AppState;
use crate::auth::Caller;
use crate::limits::ReadKind;
use crate::store::deadline::within_deadline;
use crate::store::{GapQuery, SampleCursor};

/// Which gaps.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct GapsQuery {
    /// One source alone.
    #[param(inline)]
    source: Option<SourceName>,
    /// Rows of a page.
    #[param(value_type = Option<PageLimit>, inline)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[param(value_type = Option<SamplesCursor>, inline)]
    cursor: Option<SampleCursor>,
}

impl ReadQuery for GapsQuery {
    fn read(params: &Params) -> ApiResult<Self> {
        Ok(Self { source: params.source()?, limit: limit(params)?, cursor: cursor::read(params)? })
    }
}

/// Seqs that never came, by source, then by seq.
///
/// A source keeps ten thousand gaps as they are. After that its last one grows over all that follow and is marked as
/// `merged`: which of its seqs came is then said by the samples alone.
#[utoipa::path(
    get, path = "/api/v1/sessions/{id}/gaps", tag = "samples", operation_id = "listGaps",
    params(("id" = mien_shared::SessionId, Path, description = "The session"), GapsQuery),
    responses((status = 200, description = "A page of gaps", body = GapList)),
    security(("bearer" = [])),
)]
pub(super) async fn list(
    State(state): State<AppState>,
    Readable(session): Readable,
    caller: Caller,
    Query(query): Query<GapsQuery>,
) -> ApiResult<Response> {
    let slot = read_slot(&state, ReadKind::Page, &caller, &session).await?;
    let query =
        GapQuery { source: query.source, after: query.cursor, limit: query.limit.unwrap_or(DEFAULT_PAGE) };
    let permit = state.reads.permits.acquire().await;
    let page = within_deadline(state.store.gaps(session.id, &query)).await?;
    drop(permit);
    let page = GapList { gaps: page.rows, next: page.next.map(|position| position.write()) };
    Ok(until_written(slot, Json(page).into_response()))
}
