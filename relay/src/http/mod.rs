//! The HTTP interface: sessions, samples, exports, markers, operation and the contract itself.
//!
//! Handlers say what is asked of the store; who may ask is decided by extractors before they run, and how a
//! failure looks by [`crate::http::problem`] after. Each route is registered together with its description, so the
//! OpenAPI document cannot leave one out.

mod admit;
mod asyncapi;
mod contract;
mod csv;
mod cursor;
mod export;
mod extract;
mod gaps;
mod held_body;
mod instrument;
mod limit;
mod markers;
mod openapi;
mod ops;
pub mod origin;
pub mod page;
mod place;
pub mod problem;
mod samples;
pub mod series;
mod sessions;
mod text;
mod tokens;

pub(crate) use instrument::RequestId;

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use bytes::Bytes;
use mien_shared::Code;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;
use crate::config::Config;
use crate::http::problem::ApiError;

/// What users call, and what counts for their rate.
fn limited() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(sessions::create, sessions::list))
        .routes(routes!(sessions::read, sessions::update, sessions::erase))
        .routes(routes!(tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(samples::list))
        .routes(routes!(samples::series))
        .routes(routes!(samples::summary))
        .routes(routes!(gaps::list))
        .routes(routes!(export::export))
        .routes(routes!(markers::create, markers::list))
        .routes(routes!(markers::delete))
}

/// What those who run the relay call, and the contract, which is the same bytes for all.
fn free() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(ops::healthz))
        .routes(routes!(ops::readyz))
        .routes(routes!(ops::metrics))
        .routes(routes!(contract::openapi))
        .routes(routes!(contract::asyncapi))
}

/// What a listener for metrics answers.
pub fn metrics_routes(state: &AppState) -> Router {
    let routes = Router::new()
        .route("/metrics", get(ops::rendered))
        .route("/healthz", get(ops::healthz))
        .fallback(async || ApiError::plain(Code::NotFound))
        .method_not_allowed_fallback(async || ApiError::plain(Code::MethodNotAllowed));
    routes
        .layer(from_fn_with_state(state.clone(), admit::admit))
        .layer(from_fn_with_state(state.clone(), instrument::observe))
        .with_state(state.clone())
}

/// The OpenAPI document of a relay with these settings.
pub(crate) fn openapi_text(config: &Config) -> Bytes {
    openapi::text(config)
}

pub fn routes(state: &AppState) -> Router<AppState> {
    for (method, path, status) in openapi::operations() {
        if let (Ok(method), Ok(status)) = (method.parse::<Method>(), StatusCode::from_u16(status)) {
            state.metrics.announce_request(&method, &path, status);
        }
    }
    let limited = Router::from(limited()).route_layer(from_fn_with_state(state.clone(), limit::limit));
    limited.merge(free())
}

/// Puts around all routes, this module's and others', what every request gets.
pub fn layer(routes: Router<AppState>, state: &AppState) -> Router<AppState> {
    routes
        .method_not_allowed_fallback(async || ApiError::plain(Code::MethodNotAllowed))
        .layer(from_fn_with_state(state.clone(), admit::admit))
        .layer(from_fn_with_state(state.clone(), origin::guard::guard))
        .layer(from_fn_with_state(state.clone(), instrument::observe))
}
