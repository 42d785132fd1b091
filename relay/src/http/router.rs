//! Routes and layers put together.

use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::{Extension, Router};
use mien_shared::Code;

use super::contract::OpenApiText;
use super::instrument::instrument;
use super::origin::guard::guard;
use super::problem::ApiError;
use super::routes::{free, limited};
use super::{admit, limit, openapi, ops, page};
use crate::app::AppState;

/// What the listener for metrics answers.
pub fn metrics_routes(state: &AppState) -> Router {
    let routes = Router::new()
        .route("/metrics", get(ops::rendered))
        .route("/healthz", get(ops::healthz))
        .fallback(async || ApiError::plain(Code::NotFound))
        .method_not_allowed_fallback(async || ApiError::plain(Code::MethodNotAllowed));
    routes
        .layer(from_fn_with_state(state.clone(), admit::admit))
        .layer(from_fn_with_state(state.clone(), instrument))
        .with_state(state.clone())
}

/// The routes of the API and of operation.
fn api(state: &AppState) -> Router<AppState> {
    for (method, path, status) in openapi::operations() {
        if let (Ok(method), Ok(status)) = (method.parse::<Method>(), StatusCode::from_u16(status)) {
            state.metrics.announce_request(&method, &path, status);
        }
    }
    let limited = Router::from(limited()).route_layer(from_fn_with_state(state.clone(), limit::limit));
    limited.merge(Router::from(free()).layer(Extension(OpenApiText(openapi::text(&state.config)))))
}

/// The API and the page. They count among the requests under way; WebSockets have limits of their own.
pub(crate) fn routes(state: &AppState) -> Router<AppState> {
    api(state)
        .merge(page::routes(&state.config.base_path))
        .method_not_allowed_fallback(async || ApiError::plain(Code::MethodNotAllowed))
        .layer(from_fn_with_state(state.clone(), admit::admit))
}

/// Wraps all routes in what every request passes.
pub fn layer(routes: Router<AppState>, state: &AppState) -> Router<AppState> {
    routes
        .method_not_allowed_fallback(async || ApiError::plain(Code::MethodNotAllowed))
        .layer(from_fn_with_state(state.clone(), guard))
        .layer(from_fn_with_state(state.clone(), instrument))
}
