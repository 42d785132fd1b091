//! Stored samples: as they are, and as means over time.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use mien_shared::api::{SamplesPage, Series, SourceName, StoredSample};
use mien_shared::limits::{DEFAULT_PAGE, DEFAULT_RESOLUTION_MS, MAX_SAFE_INTEGER, MAX_SERIES_POINTS};
use mien_shared::schema::{PageLimit, ResolutionMilliseconds, TimeBound};
use utoipa::IntoParams;

use super::body::Json;
use super::caller::Readable;
use super::cursor::{self, Position, SamplesCursor};
use super::problem::{ApiError, ApiResult};
use super::query::{Params, Query, ReadQuery, limit, moment};
use super::read_slot::{read_slot, until_written};
use super::series;
use crate::app::AppState;
use crate::auth::Caller;
use crate::limits::ReadKind;
use crate::live::json_bytes;
use crate::store::deadline::within_deadline;
use crate::store::{Page, SampleCursor, SampleQuery};

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

/// Stored samples, by source, then by seq.
///
/// A page of samples whose faces have landmarks may be shorter than asked for: only `next` says whether there is more.
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
    let slot = read_slot(&state, ReadKind::Page, &caller, &session).await?;
    let limit = query.limit.unwrap_or(DEFAULT_PAGE);
    let query =
        SampleQuery { source: query.source, from: query.from, to: query.to, after: query.cursor, limit };
    let permit = state.reads.permits.acquire().await;
    let page = within_deadline(state.store.samples(session.id, &query)).await?;
    drop(permit);
    let page = cut(page);
    let page = SamplesPage { samples: page.rows, next: page.next.map(|position| position.write()) };
    Ok(until_written(slot, Json(page).into_response()))
}

/// Roughly the bytes of a page: more than a page without landmarks may have.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// Leaves the rest of a page that is too large to the next one.
fn cut(page: Page<StoredSample, SampleCursor>) -> Page<StoredSample, SampleCursor> {
    let Page { mut rows, next } = page;
    let mut bytes = 0;
    let fit = rows
        .iter()
        .take_while(|stored| {
            bytes += json_bytes(&stored.sample);
            bytes <= PAGE_BYTES
        })
        .count();
    if fit == rows.len() {
        return Page { rows, next };
    }
    // A single sample always fits.
    rows.truncate(fit);
    let next = rows.last().map(|last| SampleCursor { source: last.source.clone(), seq: last.sample.seq });
    Page { rows, next }
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
    let slot = read_slot(&state, ReadKind::Sum, &caller, &session).await?;
    let resolution_ms = resolution_ms.unwrap_or(DEFAULT_RESOLUTION_MS);
    let query = SampleQuery { source, from, to, ..SampleQuery::default() };
    let permits = &state.reads.permits;
    let buckets =
        series::read(&state.store, session.id, &query, resolution_ms, MAX_SERIES_POINTS, permits).await?;
    let points = buckets.finish();
    if points.len() > MAX_SERIES_POINTS {
        return Err(ApiError::invalid(format!(
            "the series has more than {MAX_SERIES_POINTS} points; ask for a coarser resolution_ms or a shorter time"
        )));
    }
    Ok(until_written(slot, Json(Series { resolution_ms, points }).into_response()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mien_shared::limits::{MAX_FACES, MAX_PAGE, MAX_SKIPPED};
    use mien_shared::{Face, Sample, Scores, SkipReason, Skipped};

    fn page(landmarks: bool) -> Page<StoredSample, SampleCursor> {
        let face = Face {
            landmarks: landmarks.then(Box::default),
            ..Face::new(1, [0.0, 0.0, 1.0, 1.0].into(), None, Scores([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]))
        };
        let sample = |seq| Sample {
            skipped: vec![Skipped { reason: SkipReason::Other, ms: 1 }; MAX_SKIPPED],
            ..Sample::new(seq, seq, vec![face.clone(); MAX_FACES])
        };
        let source = SourceName::default();
        let rows =
            (1..=u64::from(MAX_PAGE)).map(|seq| StoredSample { source: source.clone(), sample: sample(seq) });
        Page { rows: rows.collect(), next: None }
    }

    #[test]
    fn a_page_of_landmarks_is_cut_where_the_next_begins_and_none_other_is() {
        let whole = page(false);
        assert_eq!(cut(whole.clone()), whole);
        let Page { rows, next } = cut(page(true));
        assert!((100..=200).contains(&rows.len()), "{}", rows.len());
        let expected = SampleCursor { source: SourceName::default(), seq: rows.len() as u64 };
        assert_eq!(next, Some(expected));
    }
}
