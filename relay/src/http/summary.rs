//! A session summed up.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use mien_shared::api::{SourceName, SourceSummary, Summary, TimeByExpression};
use mien_shared::series::{NeutralBuilder, SkippedBuilder, TimeBuilder};

use super::body::Json;
use super::caller::Readable;
use super::chunks::{SampleChunks, rows_with_landmarks};
use super::problem::ApiResult;
use super::read_slot::{read_slot, until_written};
use crate::app::AppState;
use crate::auth::Caller;
use crate::limits::ReadKind;
use crate::store::deadline::within_deadline;
use crate::store::{SampleQuery, SourceState};

/// Samples read at a time. With as many faces as there may be, some 15 MB; half as many would make it a tenth slower.
const CHUNK_ROWS: u32 = 4_000;

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
    let slot = read_slot(&state, ReadKind::Sum, &caller, &session).await?;
    let permit = state.reads.permits.acquire().await;
    let states = within_deadline(state.store.source_states(session.id)).await?;
    drop(permit);
    let landmarks = states.iter().map(|state| state.landmarks).max().unwrap_or(0);
    let limit = rows_with_landmarks(CHUNK_ROWS, landmarks);
    let mut tallies: Vec<Tally> = states.into_iter().map(Tally::new).collect();
    let query = SampleQuery { limit, ..SampleQuery::default() };
    let mut chunks = SampleChunks::new(&state.store, &state.reads.permits, session.id, query);
    while let Some(chunk) = chunks.next().await? {
        for stored in &chunk {
            // Samples that came after the counts were read belong to the next summary.
            if let Some(tally) =
                tallies.iter_mut().find(|tally| tally.covers(&stored.source, stored.sample.seq))
            {
                tally.faces += stored.sample.faces.len() as u64;
                tally.time.add(&stored.sample);
                tally.skipped.add(&stored.sample.skipped);
                tally.neutral.add(&stored.sample.faces);
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
    Ok(until_written(slot, Json(summary).into_response()))
}

/// One source while it is summed up.
struct Tally {
    state: SourceState,
    faces: u64,
    time: TimeBuilder,
    skipped: SkippedBuilder,
    neutral: NeutralBuilder,
}

impl Tally {
    fn new(state: SourceState) -> Self {
        Self {
            state,
            faces: 0,
            time: TimeBuilder::default(),
            skipped: SkippedBuilder::default(),
            neutral: NeutralBuilder::default(),
        }
    }

    fn covers(&self, source: &SourceName, seq: u64) -> bool {
        self.state.source == *source && seq <= self.state.through
    }

    fn finish(self) -> SourceSummary {
        let Self { state, time, skipped, neutral, .. } = self;
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
            neutral: neutral.finish(),
        }
    }
}
