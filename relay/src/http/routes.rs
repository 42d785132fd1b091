//! Every route of the HTTP interface, each registered together with its description, so that the OpenAPI document cannot
//! leave one out.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{contract, export, gaps, markers, ops, samples, sessions, summary, tokens};
use crate::app::AppState;

/// What users call, and what counts for their rate.
pub(super) fn limited() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(sessions::create, sessions::list))
        .routes(routes!(sessions::read, sessions::update, sessions::erase))
        .routes(routes!(tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(samples::list))
        .routes(routes!(samples::series))
        .routes(routes!(summary::summary))
        .routes(routes!(gaps::list))
        .routes(routes!(export::export))
        .routes(routes!(markers::create, markers::list))
        .routes(routes!(markers::delete))
}

/// What operators call, and the contract, which is the same bytes for all.
pub(super) fn free() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(ops::healthz))
        .routes(routes!(ops::readyz))
        .routes(routes!(ops::metrics))
        .routes(routes!(contract::openapi))
        .routes(routes!(contract::asyncapi))
}
