//! Waiting, with a limit of time that turns a hang into a failure.

use std::time::Duration;

/// A hang fails the test instead of the whole run; nothing is measured against it.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks at what cannot tell by itself.
const POLL: Duration = Duration::from_millis(5);

pub async fn patiently<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it hangs")
}

/// Returns once this holds.
pub async fn until(mut holds: impl AsyncFnMut() -> bool) {
    patiently(async {
        // Boxed, as what is asked may be long.
        while !Box::pin(holds()).await {
            tokio::time::sleep(POLL).await;
        }
    })
    .await;
}
