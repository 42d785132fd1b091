//! Every route of the relay.

use axum::Router;

use crate::app::AppState;
use crate::http;
use crate::socket;

pub fn router(state: AppState) -> Router {
    let routes = http::router::routes(&state).merge(socket::routes());
    http::router::layer(routes, &state).with_state(state)
}
