//! Polls the store for tokens that other relays revoked, if there may be other relays.
//!
//! While those are heard this is a safety net, for what was published while nobody listened; otherwise it is how a socket
//! learns that its token is no longer valid.

use std::time::Duration;

use tokio::sync::watch;

use super::cache::Cache;
use crate::live::Hub;
use crate::store::Store;
use crate::store::deadline::within_deadline;

/// While nothing is heard: a revoked token opens and keeps open nothing for longer than a second.
const SHORT_INTERVAL: Duration = Duration::from_millis(500);
/// While the others are heard.
const LONG_INTERVAL: Duration = Duration::from_secs(2);

/// Runs for as long as the relay. `linked` says whether the others are heard.
pub(crate) async fn run(store: Store, hub: Hub, cache: Cache, mut linked: watch::Receiver<bool>) {
    loop {
        let pause = if *linked.borrow_and_update() { LONG_INTERVAL } else { SHORT_INTERVAL };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            Ok(()) = linked.changed() => {}
        }
        match within_deadline(store.recently_revoked()).await {
            // Each of them comes several times, which changes nothing.
            Ok(revocations) => {
                for (id, revoked) in revocations {
                    cache.forget(id).await;
                    hub.revoked(id, &revoked);
                }
            }
            // The store is polled again soon; callers that need it meanwhile report the failure.
            Err(cause) => tracing::debug!(%cause, "the store could not be asked for revoked tokens"),
        }
    }
}
