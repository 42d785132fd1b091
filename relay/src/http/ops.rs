//! For operators: is the relay alive, can it take work, what do its metrics say. Open to all who reach it, and never
//! limited.

use axum::extract::State;
use axum::http::{HeaderName, header};
use bytes::Bytes;
use mien_shared::Code;
use utoipa::ToSchema;

use super::body::Json;
use super::problem::{ApiError, ApiResult};
use crate::app::{App, AppState};
use crate::observe::metrics;
use crate::store::deadline::within_deadline;

impl App {
    /// Whether the relay can take work.
    pub async fn ready(&self) -> ApiResult<()> {
        if self.drain.has_begun() {
            return Err(ApiError::new(Code::Draining, "the relay is shutting down"));
        }
        let stored = async {
            within_deadline(self.store.ready()).await?;
            if self.batcher.is_failing() {
                return Err(ApiError::new(Code::StoreUnavailable, "samples cannot be stored at the moment"));
            }
            Ok(self.write_check.ask(&self.store).await?)
        };
        stored.await.map_err(ApiError::with_reason)
    }

    /// All metrics as OpenMetrics text.
    pub fn render_metrics(&self) -> String {
        let (in_use, idle) = self.store.pool_usage();
        self.metrics.pool_in_use.set(i64::from(in_use));
        self.metrics.pool_idle.set(i64::from(idle));
        self.metrics.render()
    }

    /// The same of a moment ago: rendering takes milliseconds, and anyone may ask.
    async fn recent_metrics(&self) -> Bytes {
        self.metrics_text.get(self.config.timeouts.metrics, || self.render_metrics()).await
    }
}

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

/// The same on the listener for metrics alone.
pub(super) async fn rendered(State(state): State<AppState>) -> Text {
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], state.recent_metrics().await)
}
