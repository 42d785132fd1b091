//! Polls the store for what other relays committed and changed.
//!
//! Only watched sessions are polled, and only if there may be other relays. While those are heard through Redis this is
//! a safety net, for what a relay committed just before it died; otherwise it is how a watcher gets its samples.

use std::sync::Arc;
use std::time::Duration;

use mien_shared::SessionStatus;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::live::{DirtySessions, Hub, LiveSession, Phase};
use crate::store::deadline::within_deadline;
use crate::store::{Found, Store, StoreError};

/// While nothing is heard: the delay that a watcher sees, at the price of two small queries per watched session.
const SHORT_INTERVAL: Duration = Duration::from_millis(500);
/// While the others are heard.
const LONG_INTERVAL: Duration = Duration::from_secs(2);

/// Runs for as long as the relay. `linked` says whether the others are heard; `look` has sessions that should be looked
/// at now.
pub(crate) async fn run(store: Store, hub: Hub, mut linked: watch::Receiver<bool>, look: Arc<DirtySessions>) {
    let mut last = Instant::now();
    loop {
        let pause = if *linked.borrow_and_update() { LONG_INTERVAL } else { SHORT_INTERVAL };
        // Counted from the last look at all of them: looking at single sessions, however many, does not postpone the
        // next one.
        let due = tokio::time::sleep_until(last + pause);
        let lives: Vec<Arc<LiveSession>> = tokio::select! {
            biased;
            () = due => {
                last = Instant::now();
                hub.all()
            }
            Ok(()) = linked.changed() => hub.all(),
            ids = look.take() => ids.into_iter().filter_map(|id| hub.find(id)).collect(),
        };
        for live in lives.into_iter().filter(|live| live.is_watched()) {
            // The store is polled again soon; callers that need it meanwhile report the failure.
            if let Err(cause) = look_at(&store, &hub, &live).await {
                tracing::debug!(%cause, "the store could not be polled");
                break;
            }
        }
    }
}

async fn look_at(store: &Store, hub: &Hub, live: &LiveSession) -> Result<(), StoreError> {
    for (source, through) in within_deadline(store.throughs(live.id())).await? {
        live.learn(&source, through);
    }
    if live.phase() != Phase::Erased {
        match within_deadline(store.find_session(live.id())).await? {
            Found::Here(session) if session.status == SessionStatus::Active => {}
            Found::Here(_) => hub.completed(live.id()),
            Found::Erased | Found::Never => hub.erased(live.id()),
        }
    }
    Ok(())
}
