//! A time limit on calls whose caller waits for an answer.

use std::time::Duration;

use super::error::StoreError;

const CALLER_TIMEOUT: Duration = Duration::from_secs(5);

/// Gives up on a store that does not answer.
pub async fn within_deadline<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(CALLER_TIMEOUT, call).await.unwrap_or(Err(StoreError::TimedOut))
}
