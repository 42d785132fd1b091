//! The background job that erases completed sessions past their retention, those that nobody came back to, and samples
//! that an interrupted erasure left behind.

use std::time::Duration;

use mien_shared::SessionId;

use super::sessions::SessionError;
use crate::app::AppState;
use crate::store::StoreError;

/// Days are the unit of retention, so an hour is soon enough.
const EVERY: Duration = Duration::from_hours(1);
/// Sessions looked up at a time.
const CHUNK: u32 = 100;

/// Runs until the relay shuts down.
pub async fn run(state: AppState) {
    tokio::select! {
        () = erase(&state) => {}
        () = state.store.keep_clean() => {}
    }
}

async fn erase(state: &AppState) {
    loop {
        if let Err(cause) = clean(state).await {
            tracing::warn!(%cause, "cleaning up failed; it is tried again in an hour");
        }
        tokio::select! {
            () = state.drain.begun() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum RetentionError {
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the retention reaches before all time")]
    Clock(#[source] jiff::Error),
}

async fn clean(state: &AppState) -> Result<(), RetentionError> {
    state.store.sweep(None).await?;
    let Some(keep) = state.config.retention else { return Ok(()) };
    let before = crate::clock::now().checked_sub(keep).map_err(RetentionError::Clock)?;
    while !state.drain.has_begun() {
        let expired = state.store.expired_sessions(before, CHUNK).await?;
        if expired.is_empty() {
            break;
        }
        for id in expired {
            erase_one(state, id).await?;
        }
    }
    let mut last = None;
    while !state.drain.has_begun() {
        // One at a time: erasing may take a while, during which someone may come back to the next one.
        let Some(&id) = state.store.abandoned_sessions(before, last, 1).await?.first() else { break };
        last = Some(id);
        if !state.is_anyone_connected(id).await {
            erase_one(state, id).await?;
        }
    }
    Ok(())
}

async fn erase_one(state: &AppState, id: SessionId) -> Result<(), SessionError> {
    match state.erase_session(id).await {
        Ok(()) => tracing::info!(session = %id, "erased a session past its retention"),
        // Its owner was faster.
        Err(SessionError::NotFound) => {}
        Err(cause) => return Err(cause),
    }
    Ok(())
}
