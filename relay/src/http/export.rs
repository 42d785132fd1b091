//! Export: all samples of a session as one download, however many, in constant memory.
//!
//! Rows are read chunk by chunk as the client takes them, and written in pieces; a slow client holds one small chunk and
//! one piece, and nothing in the store. If the store fails on the way the connection breaks off, so that nobody mistakes
//! a part for the whole.

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use mien_shared::api::{ExportFormat, Session, SessionExport, StoredSample};
use utoipa::IntoParams;

use super::caller::Readable;
use super::chunks::{SampleChunks, rows_with_landmarks};
use super::csv::Csv;
use super::problem::{ApiError, ApiResult};
use super::query::{Params, Query, ReadQuery};
use super::read_slot::{read_slot, until_written};
use crate::app::AppState;
use crate::auth::Caller;
use crate::limits::ReadKind;
use crate::store::SampleQuery;
use crate::store::deadline::within_deadline;

/// Samples read at a time: with as many faces as there may be, some 2 MB.
const CHUNK_ROWS: u32 = 500;
/// A piece of the file is sent when it has reached this many bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// Which form.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ExportQuery {
    /// `csv` where absent.
    #[param(inline)]
    format: Option<ExportFormat>,
}

impl ReadQuery for ExportQuery {
    fn read(params: &Params) -> ApiResult<Self> {
        let format = match params.text("format")? {
            None => None,
            Some("csv") => Some(ExportFormat::Csv),
            Some("json") => Some(ExportFormat::Json),
            Some("ndjson") => Some(ExportFormat::Ndjson),
            Some(_) => return Err(ApiError::invalid("format is none of csv, json, ndjson")),
        };
        Ok(Self { format })
    }
}

/// Download all samples, by source, then by seq.
///
/// CSV has a header, a row for each face, and one with empty face fields for a sample without faces; its columns
/// `media_ms`, `skipped` (as `hidden:12000;clock_step:-120000`, milliseconds by reason), `valence`, `neutral_looks` and
/// `why` (as `turned small`) are empty where there is none. Columns for landmarks (`yaw` … `gaze_up`, and a
/// `coefficient_…` for each of 52) come last, and only if a sample of the session has any when the export begins. Text is in quotes, numbers are not. A source whose name begins with `-` has a `'` before it, so that no
/// spreadsheet takes it for a formula: take that away where you read the file (in pandas
/// `table["source"].str.removeprefix("'")`; no name has one of its own). As a source may be called `007`, `null` or `1e5`, tell the reader what is
/// text: in pandas `read_csv(file, dtype={"source": "str", "face": "Int64", "media_ms": "Int64"},
/// keep_default_na=False, na_values=[""])`, in R `read.csv(file, colClasses = c(source = "character"), na.strings =
/// "")`, in LibreOffice with the option *Format quoted field as text*. JSON is one object. NDJSON is one sample with
/// its source a line.
#[utoipa::path(
    get, path = "/api/v1/sessions/{id}/export", tag = "samples", operation_id = "exportSession",
    params(("id" = mien_shared::SessionId, Path, description = "The session"), ExportQuery),
    responses((status = 200, description = "The file, streamed", content(
        (String = "text/csv"),
        (SessionExport = "application/json"),
        (String = "application/x-ndjson"),
    ))),
    security(("bearer" = [])),
)]
pub(super) async fn export(
    State(state): State<AppState>,
    Readable(session): Readable,
    caller: Caller,
    Query(ExportQuery { format }): Query<ExportQuery>,
) -> ApiResult<Response> {
    let slot = read_slot(&state, ReadKind::Export, &caller, &session).await?;
    let format = format.unwrap_or(ExportFormat::Csv);
    let permit = state.reads.permits.acquire().await;
    let landmarks = within_deadline(state.store.most_landmarks(session.id)).await?;
    drop(permit);
    let limit = rows_with_landmarks(CHUNK_ROWS, landmarks);
    let query = SampleQuery { limit, ..SampleQuery::default() };
    let mut chunks = SampleChunks::new(&state.store, &state.reads.permits, session.id, query);
    // The first chunk comes before the status, so that a store that is down is still a 503.
    let first = chunks.next().await?;
    let (extension, kind) = match format {
        ExportFormat::Csv => ("csv", "text/csv; charset=utf-8; header=present"),
        ExportFormat::Json => ("json", "application/json"),
        ExportFormat::Ndjson => ("ndjson", "application/x-ndjson"),
    };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"mien-{}.{extension}\"", session.id)),
    ];
    let (span, writer, next) =
        (tracing::Span::current(), Writer::new(format, landmarks > 0), Next::Start(session, first));
    let rows = Rows { span, state, writer, chunks, next };
    let stream = futures_util::stream::try_unfold(rows, Rows::step);
    Ok(until_written(slot, (headers, Body::from_stream(stream)).into_response()))
}

/// An export under way.
struct Rows {
    /// The request's: the body is written after the request was answered.
    span: tracing::Span,
    state: AppState,
    writer: Writer,
    chunks: SampleChunks,
    next: Next,
}

enum Next {
    Start(Session, Option<Vec<StoredSample>>),
    /// What is left of a chunk.
    Rest(std::vec::IntoIter<StoredSample>),
    Chunk,
    Done,
}

impl Rows {
    /// The next piece of the file and what is left of the work.
    async fn step(mut self) -> Result<Option<(Bytes, Self)>, ApiError> {
        let mut out = String::new();
        let chunk = match std::mem::replace(&mut self.next, Next::Chunk) {
            Next::Start(session, first) => {
                self.writer.begin(&mut out, &session)?;
                first.map(Vec::into_iter)
            }
            Next::Rest(rest) => Some(rest),
            Next::Chunk => self.read().await?.map(Vec::into_iter),
            Next::Done => return Ok(None),
        };
        let Some(mut samples) = chunk else {
            self.writer.end(&mut out);
            self.next = Next::Done;
            return Ok(Some((Bytes::from(out), self)));
        };
        while out.len() < PIECE_BYTES
            && let Some(sample) = samples.next()
        {
            self.writer.write(&mut out, &sample)?;
        }
        if !samples.as_slice().is_empty() {
            self.next = Next::Rest(samples);
        }
        Ok(Some((Bytes::from(out), self)))
    }

    async fn read(&mut self) -> Result<Option<Vec<StoredSample>>, ApiError> {
        self.chunks.next().await.map_err(ApiError::from).inspect_err(|error| {
            if let Some(cause) = error.store_error() {
                self.state.metrics.count_store_error(cause);
            }
            self.span.in_scope(|| tracing::error!(cause = %error.chain(), "an export broke off"));
        })
    }
}

/// Writes one form, piece by piece.
struct Writer {
    format: ExportFormat,
    csv: Csv,
    /// Whether a sample has been written, which JSON's commas depend on.
    begun: bool,
}

impl Writer {
    fn new(format: ExportFormat, landmarks: bool) -> Self {
        Self { format, csv: Csv { landmarks }, begun: false }
    }

    fn begin(&mut self, out: &mut String, session: &Session) -> ApiResult<()> {
        match self.format {
            ExportFormat::Csv => out.push_str(&self.csv.header()),
            ExportFormat::Json => {
                out.push_str("{\"session\":");
                push_json(out, session)?;
                out.push_str(",\"samples\":[");
            }
            ExportFormat::Ndjson => {}
        }
        Ok(())
    }

    fn write(&mut self, out: &mut String, stored: &StoredSample) -> ApiResult<()> {
        match self.format {
            ExportFormat::Csv => self.csv.write(out, stored),
            ExportFormat::Json => {
                if self.begun {
                    out.push(',');
                }
                push_json(out, stored)?;
            }
            ExportFormat::Ndjson => {
                push_json(out, stored)?;
                out.push('\n');
            }
        }
        self.begun = true;
        Ok(())
    }

    fn end(&mut self, out: &mut String) {
        if self.format == ExportFormat::Json {
            out.push_str("]}\n");
        }
    }
}

fn push_json(out: &mut String, value: &impl serde::Serialize) -> ApiResult<()> {
    out.push_str(&serde_json::to_string(value).map_err(ApiError::internal)?);
    Ok(())
}
