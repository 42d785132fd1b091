//! How a socket ends if the store cannot serve it.

use mien_shared::Code;
use mien_shared::problem::CloseCode;

use crate::app::App;
use crate::http::problem::ApiError;

/// What the store refuses, it would refuse again; if it does not answer, another attempt is worthwhile, here or at
/// another relay.
pub(super) fn or_close_code<T>(app: &App, answer: Result<T, impl Into<ApiError>>) -> Result<T, CloseCode> {
    answer.map_err(|cause| {
        let cause = cause.into();
        match cause.code {
            Code::SessionEnded => CloseCode::SessionEnded,
            Code::QuotaExceeded => {
                tracing::info!(detail = cause.detail, "a connection is refused");
                CloseCode::QuotaExceeded
            }
            _ => {
                tracing::warn!(cause = %cause.chain(), "a connection closes, as the store cannot serve it");
                if let Some(cause) = cause.store_error() {
                    app.metrics.count_store_error(cause);
                }
                CloseCode::AtCapacity
            }
        }
    })
}
