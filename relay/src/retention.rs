//! The background job that erases what is over: completed sessions past their time, and samples that an
//! interrupted erasure left behind.

use std::time::Duration;

use mien_shared::Code;

use crate::app::AppState;
use crate::problem::ApiError;

/// Days are the unit of retention, so an hour is soon enough.
const EVERY: Duration = Duration::from_hours(1);
/// Sessions looked up at a time.
const CHUNK: u32 = 100;

/// Runs until the relay shuts down.
pub async fn run(state: AppState) {
    loop {
        if let Err(cause) = clean(&state).await {
            tracing::warn!(%cause, "cleaning up failed; it is tried again in an hour");
        }
        tokio::select! {
            () = state.drain.begun() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn clean(state: &AppState) -> Result<(), ApiError> {
    state.store.sweep(None).await?;
    let Some(keep) = state.config.retention else { return Ok(()) };
    let before = crate::wall::now()
        .checked_sub(keep)
        .map_err(|_| ApiError::new(Code::Internal, "the retention reaches before all time"))?;
    while !state.drain.has_begun() {
        let expired = state.store.expired_sessions(before, CHUNK).await?;
        if expired.is_empty() {
            break;
        }
        for id in expired {
            match state.erase_session(id).await {
                Ok(()) => tracing::info!(session = %id, "erased a session past its retention"),
                // Its owner was faster.
                Err(ApiError { code: Code::SessionNotFound, .. }) => {}
                Err(cause) => return Err(cause),
            }
        }
    }
    Ok(())
}
