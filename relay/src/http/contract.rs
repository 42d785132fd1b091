//! The contract, served by the relay that keeps it.

use axum::extract::State;
use axum::http::{HeaderName, header};
use bytes::Bytes;

use super::asyncapi;
use crate::app::AppState;

type Document = ([(HeaderName, &'static str); 2], Bytes);

/// This document: the HTTP interface.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "contract", operation_id = "openapi",
    responses((status = 200, description = "OpenAPI 3.1", body = Value)),
)]
pub(super) async fn openapi(State(state): State<AppState>) -> Document {
    document(state.openapi.clone())
}

/// The WebSockets, their messages and close codes.
#[utoipa::path(
    get, path = "/api/v1/asyncapi.json", tag = "contract", operation_id = "asyncapi",
    responses((status = 200, description = "AsyncAPI 3.0", body = Value)),
)]
pub(super) async fn asyncapi() -> Document {
    document(asyncapi::TEXT.clone())
}

fn document(text: Bytes) -> Document {
    // It changes with the relay alone.
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    (headers, text)
}
