//! Waiting, with a limit of time that turns a hang into a failure.

use std::time::Duration;

/// Far beyond what anything here takes, also on a machine that builds ten other things.
const PATIENCE: Duration = Duration::from_mins(5);
/// Between two looks at something that cannot tell by itself.
const POLL: Duration = Duration::from_millis(20);

/// Waits for `work`; a hang fails the test instead of the whole run.
pub async fn patiently<T>(what: &str, work: impl Future<Output = T>) -> T {
    let Ok(done) = tokio::time::timeout(PATIENCE, work).await else {
        panic!("waited {} s for {what}", PATIENCE.as_secs())
    };
    done
}

/// Asks until the answer is yes.
pub async fn until(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    patiently(what, async {
        while !ask().await {
            tokio::time::sleep(POLL).await;
        }
    })
    .await;
}
