//! Stored samples: as they are, as means over time, and summed up.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use mien_shared::api::{SamplesPage, Series, SourceName, SourceSummary, Summary, TimeByExpression};
use mien_shared::limits::{DEFAULT_PAGE, DEFAULT_RESOLUTION_MS, MAX_SAFE_INTEGER, MAX_SERIES_POINTS};
use mien_shared::schema::{PageLimit, ResolutionMilliseconds, TimeBound};
use mien_shared::series::{SkippedBuilder, TimeBuilder};
use utoipa::IntoParams;

use crate::app::{AppState, patiently};
use crate::auth::Caller;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::series;
use crate::limits::reads::Kind;
use crate::store::{SampleCursor, SampleQuery, SourceState};

use super::cursor::{self, Place, SamplesCursor};
use super::extract::{Json, Params, Query, ReadQuery, Readable};
use super::place::enter;
use super::sessions::limit;

/// Samples that a summary reads at a time. With as many faces as may be, some 8 MB; half as many would cost it a tenth.
const SUMMARY_ROWS: u32 = 4_000;

/// Which samples.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SamplesQuery {
    /// One source alone.
    #[param(inline)]
    source: Option<SourceName>,
    /// First `at` that counts, Unix milliseconds.
    #[param(value_type = Option<TimeBound>, inline)]
    from: Option<u64>,
    /// First `at` that no longer counts, Unix milliseconds.
    #[param(value_type = Option<TimeBound>, inline)]
    to: Option<u64>,
    /// Rows of a page.
    #[param(value_type = Option<PageLimit>, inline)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[param(value_type = Option<SamplesCursor>, inline)]
    cursor: Option<SampleCursor>,
}

impl ReadQuery for SamplesQuery {
    fn read(params: &Params) -> ApiResult<Self> {
        Ok(Self {
            source: params.source()?,
            from: moment(params, "from")?,
            to: moment(params, "to")?,
            limit: limit(params)?,
            cursor: cursor::read(params)?,
        })
    }
}

/// Unix milliseconds; one past the largest `at` too, so that `to` can leave that in.
fn moment(params: &Params, name: &str) -> ApiResult<Option<u64>> {
    params.number(name, 0..=MAX_SAFE_INTEGER + 1)
}

/// Stored samples, by source, then by seq.
#[utoipa::path(
    get, path = "/api/v1/sessions/{id}/samples", tag = "samples", operation_id = "listSamples",
    params(("id" = mien_shared::SessionId, Path, description = "The session"), SamplesQuery),
    responses((status = 200, description = "A page of samples", body = SamplesPage)),
    security(("bearer" = [])),
)]
pub(super) async fn list(
    State(state): State<AppState>,
    Readable(session): Readable,
    caller: Caller,
    Query(query): Query<SamplesQuery>,
) -> ApiResult<Response> {
    let place = enter(&state, Kind::Page, &caller, &session).await?;
    let limit = query.limit.unwrap_or(DEFAULT_PAGE);
    let query =
        SampleQuery { source: query.source, from: query.from, to: query.to, after: query.cursor, limit };
    let turn = state.reads.turns.next().await;
    let page = patiently(state.store.samples(session.id, &query)).await?;
    drop(turn);
    let page = SamplesPage { samples: page.rows, next: page.next.map(|place| place.write()) };
    Ok(place.until_written(Json(page).into_response()))
}

/// Which series.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SeriesQuery {
    /// Length of a bucket. Buckets begin at its multiples since 1970.
    #[param(value_type = Option<ResolutionMilliseconds>, inline)]
    resolution_ms: Option<u64>,
    /// One source alone.
    #[param(inline)]
    source: Option<SourceName>,
    /// First `at` that counts, Unix milliseconds.
    #[param(value_type = Option<TimeBound>, inline)]
    from: Option<u64>,
    /// First `at` that no longer counts, Unix milliseconds.
    #[param(value_type = Option<TimeBound>, inline)]
    to: Option<u64>,
}

impl ReadQuery for SeriesQuery {
    fn read(params: &Params) -> ApiResult<Self> {
        Ok(Self {
            resolution_ms: params.number("resolution_ms", 1..=MAX_SAFE_INTEGER)?,
            source: params.source()?,
            from: moment(params, "from")?,
            to: moment(params, "to")?,
        })
    }
}

/// Mean scores by bucket of time, for charts over any length.
///
/// A series of more than 16,384 points is refused with 422: ask for a coarser resolution or a shorter time.
#[utoipa::path(
    get, path = "/api/v1/sessions/{id}/series", tag = "samples", operation_id = "getSeries",
    params(("id" = mien_shared::SessionId, Path, description = "The session"), SeriesQuery),
    responses((status = 200, description = "Points by time, then by source", body = Series)),
    security(("bearer" = [])),
)]
pub(super) async fn series(
    State(state): State<AppState>,
    Readable(session): Readable,
    caller: Caller,
    Query(SeriesQuery { resolution_ms, source, from, to }): Query<SeriesQuery>,
) -> ApiResult<Response> {
    let place = enter(&state, Kind::Sum, &caller, &session).await?;
    let resolution_ms = resolution_ms.unwrap_or(DEFAULT_RESOLUTION_MS);
    let query = SampleQuery { source, from, to, ..SampleQuery::default() };
    let turns = &state.reads.turns;
    let buckets =
        series::read(&state.store, session.id, &query, resolution_ms, MAX_SERIES_POINTS, turns).await?;
    let points = buckets.finish();
    if points.len() > MAX_SERIES_POINTS {
        return Err(ApiError::invalid(format!(
            "the series has more than {MAX_SERIES_POINTS} points; ask for a coarser resolution_ms or a shorter time"
        )));
    }
    Ok(place.until_written(Json(Series { resolution_ms, points }).into_response()))
}

/// Counts, time by expression, gaps and what was skipped, in all and by source.
///
/// Of each source's gaps the first thousand are listed; `gaps_total` says how many there are.
#[utoipa::path(
    get, path = "/api/v1/sessions/{id}/summary", tag = "samples", operation_id = "getSummary",
    params(("id" = mien_shared::SessionId, Path, description = "The session")),
    responses((status = 200, description = "The session summed up", body = Summary)),
    security(("bearer" = [])),
)]
pub(super) async fn summary(
    State(state): State<AppState>,
    Readable(session): Readable,
    caller: Caller,
) -> ApiResult<Response> {
    let place = enter(&state, Kind::Sum, &caller, &session).await?;
    let turn = state.reads.turns.next().await;
    let states = patiently(state.store.source_states(session.id)).await?;
    drop(turn);
    let mut tallies: Vec<Tally> = states.into_iter().map(Tally::new).collect();
    let query = SampleQuery { limit: SUMMARY_ROWS, ..SampleQuery::default() };
    let mut chunks = state.store.sample_chunks(session.id, query, &state.reads.turns);
    while let Some(chunk) = chunks.next().await? {
        for stored in &chunk {
            // Samples that came after the counts were read are left to the next summary.
            if let Some(tally) =
                tallies.iter_mut().find(|tally| tally.covers(&stored.source, stored.sample.seq))
            {
                tally.faces += stored.sample.faces.len() as u64;
                tally.time.add(&stored.sample);
                tally.skipped.add(&stored.sample.skipped);
            }
        }
    }
    let mut summary = Summary {
        session: session.id,
        stored: 0,
        acked: 0,
        rejected: 0,
        faces: 0,
        time_by_expression_ms: TimeByExpression::default(),
        sources: Vec::with_capacity(tallies.len()),
    };
    for tally in tallies {
        summary.faces += tally.faces;
        let source = tally.finish();
        summary.stored += source.stored;
        summary.acked += source.acked;
        summary.rejected += source.rejected;
        summary.time_by_expression_ms += source.time_by_expression_ms;
        summary.sources.push(source);
    }
    Ok(place.until_written(Json(summary).into_response()))
}

/// One source while it is summed up.
struct Tally {
    state: SourceState,
    faces: u64,
    time: TimeBuilder,
    skipped: SkippedBuilder,
}

impl Tally {
    fn new(state: SourceState) -> Self {
        Self { state, faces: 0, time: TimeBuilder::default(), skipped: SkippedBuilder::default() }
    }

    fn covers(&self, source: &SourceName, seq: u64) -> bool {
        self.state.source == *source && seq <= self.state.through
    }

    fn finish(self) -> SourceSummary {
        let Self { state, time, skipped, .. } = self;
        SourceSummary {
            source: state.source,
            stored: state.stored,
            acked: state.stored + state.rejected,
            rejected: state.rejected,
            first_at: state.first_at,
            last_at: state.last_at,
            gaps: state.gaps,
            gaps_total: state.gaps_total,
            gaps_merged: state.gaps_merged,
            time_by_expression_ms: time.finish(),
            skipped_ms: skipped.finish(),
        }
    }
}
