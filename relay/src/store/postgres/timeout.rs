//! How long a call may take.

use std::time::Duration;

use crate::store::error::{Result, StoreError};

/// The longest that a call may take.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// The result of `call` if it is ready in time. Boxed, as what the client holds while it waits is tens of kilobytes,
/// which would lengthen every future around it.
pub(super) fn within<T>(
    timeout: Duration,
    call: impl Future<Output = Result<T>>,
) -> impl Future<Output = Result<T>> {
    let call = Box::pin(call);
    async move { tokio::time::timeout(timeout, call).await.unwrap_or(Err(StoreError::TimedOut)) }
}

/// A call of the store within [`CALL_TIMEOUT`].
pub(in crate::store) fn with_timeout<T>(
    call: impl Future<Output = Result<T>>,
) -> impl Future<Output = Result<T>> {
    within(CALL_TIMEOUT, call)
}
