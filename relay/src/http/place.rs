//! A place among the long reads, for a handler.

use mien_shared::api::Session;

use crate::app::AppState;
use crate::auth::Caller;
use crate::http::problem::ApiResult;
use crate::limits::reads::{Full, Kind, Place};

/// Before anything is read of the session.
pub(super) async fn enter(
    state: &AppState,
    kind: Kind,
    caller: &Caller,
    session: &Session,
) -> ApiResult<Place> {
    state.reads.enter(kind, caller, session).await.map_err(|full| {
        if full == Full::Caller {
            state.metrics.rate_limited_reads.inc();
        }
        full.into()
    })
}
