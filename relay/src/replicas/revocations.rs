//! Looking at the store for tokens that other replicas revoked.
//!
//! Only where there may be other replicas. While those are heard this is a safety net with wide meshes, for what was
//! said while nobody listened; otherwise it is how a socket learns that its token holds no longer.

use std::time::Duration;

use tokio::sync::watch;

use crate::app::patiently;
use crate::live::Hub;
use crate::replicas::cache::Cache;
use crate::store::Store;

/// While nothing is heard: a revoked token opens and keeps open nothing for longer than a second.
const OFTEN: Duration = Duration::from_millis(500);
/// While the others are heard.
const RARELY: Duration = Duration::from_secs(2);

/// Looks for as long as the relay runs. `linked` says whether the others are heard.
pub(crate) async fn run(store: Store, hub: Hub, cache: Cache, mut linked: watch::Receiver<bool>) {
    loop {
        let pause = if *linked.borrow_and_update() { RARELY } else { OFTEN };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            Ok(()) = linked.changed() => {}
        }
        match patiently(store.recently_revoked()).await {
            // Each of them several times, which changes nothing.
            Ok(revocations) => {
                for (id, revoked) in revocations {
                    cache.forget(id).await;
                    hub.revoked(id, &revoked);
                }
            }
            // Tried again soon; who waits for the store meanwhile says so.
            Err(cause) => tracing::debug!(%cause, "the store could not be asked for revoked tokens"),
        }
    }
}
