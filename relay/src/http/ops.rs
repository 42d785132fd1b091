//! For those who run the relay: is it alive, can it take work, what does it count. Open to all who reach it,
//! and never limited.

use axum::extract::State;
use axum::http::{HeaderName, header};
use bytes::Bytes;
use mien_shared::Code;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::http::problem::{ApiError, ApiResult};
use crate::observe::metrics;

use super::extract::Json;

/// A good answer of a probe.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok`
    status: &'static str,
}

/// Is the process alive?
#[utoipa::path(
    get, path = "/healthz", tag = "operation", operation_id = "health",
    responses((status = 200, description = "The process is alive", body = Health)),
)]
pub(super) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Can it take work?
#[utoipa::path(
    get, path = "/readyz", tag = "operation", operation_id = "ready",
    responses((status = 200, description = "The relay can take work; 503 while the store is down, takes no writes, or the relay drains. What is written to find out is undone, at most once in five seconds", body = Health)),
)]
pub(super) async fn readyz(State(state): State<AppState>) -> ApiResult<Json<Health>> {
    state.ready().await?;
    Ok(Json(Health { status: "ok" }))
}

/// As `/metrics` answers.
type Text = ([(HeaderName, &'static str); 1], Bytes);

/// Metrics for Prometheus, rendered once a second at most.
#[utoipa::path(
    get, path = "/metrics", tag = "operation", operation_id = "metrics",
    responses(
        (status = 200, description = "OpenMetrics text", body = String, content_type = "application/openmetrics-text"),
        (status = 404, description = "Metrics are answered on a listener of their own (`MIEN_METRICS_LISTEN`)"),
    ),
)]
pub(super) async fn metrics(state: State<AppState>) -> ApiResult<Text> {
    if state.config.metrics_listen.is_some() {
        return Err(ApiError::plain(Code::NotFound));
    }
    Ok(rendered(state).await)
}

/// The same on the listener that is for nothing else.
pub(super) async fn rendered(State(state): State<AppState>) -> Text {
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], state.metrics_text().await)
}
