//! The documents of the contract.

use axum::Extension;
use axum::http::{HeaderName, header};
use bytes::Bytes;

use super::asyncapi;

/// The OpenAPI document of this relay: [`super::openapi`] makes it of the routes, of which this file has one.
#[derive(Clone, Debug)]
pub(super) struct OpenApiText(pub(super) Bytes);

type Document = ([(HeaderName, &'static str); 2], Bytes);

/// This document: the HTTP interface.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "contract", operation_id = "openapi",
    responses((status = 200, description = "OpenAPI 3.1", body = Value)),
)]
pub(super) async fn openapi(Extension(OpenApiText(text)): Extension<OpenApiText>) -> Document {
    document(text)
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
    // It changes only with the relay.
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    (headers, text)
}
