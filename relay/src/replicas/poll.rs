//! Looking at the store for what other replicas committed and did.
//!
//! Only watched sessions, and only where there may be other replicas. While those are heard through Redis this
//! is a safety net with wide meshes, for what a replica committed just before it died; otherwise it is how a
//! watcher gets its samples.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::app::patiently;
use crate::http::problem::ApiError;
use crate::live::remote::Marks;
use crate::live::{Hub, Live, Phase};
use crate::store::{Found, Store};
use mien_shared::SessionStatus;

/// While nothing is heard: the delay that a watcher sees, at the price of two small queries a watched session.
const OFTEN: Duration = Duration::from_millis(500);
/// While the others are heard.
const RARELY: Duration = Duration::from_secs(2);

/// Looks for as long as the relay runs. `linked` says whether the others are heard; `look` marks sessions that
/// should be looked at now.
pub(crate) async fn run(store: Store, hub: Hub, mut linked: watch::Receiver<bool>, look: Arc<Marks>) {
    let mut last = Instant::now();
    loop {
        let pause = if *linked.borrow_and_update() { RARELY } else { OFTEN };
        // Counted from the last look at all: marks, however many come, do not put the next one off.
        let due = tokio::time::sleep_until(last + pause);
        let lives: Vec<Arc<Live>> = tokio::select! {
            biased;
            () = due => {
                last = Instant::now();
                hub.all()
            }
            Ok(()) = linked.changed() => hub.all(),
            ids = look.take() => ids.into_iter().filter_map(|id| hub.find(id)).collect(),
        };
        for live in lives.into_iter().filter(|live| live.is_watched()) {
            // A store that fails is tried again soon; who waits for it meanwhile says so.
            if let Err(cause) = look_at(&store, &hub, &live).await {
                tracing::debug!(%cause, "the store could not be looked at");
                break;
            }
        }
    }
}

async fn look_at(store: &Store, hub: &Hub, live: &Live) -> Result<(), ApiError> {
    for (source, through) in patiently(store.throughs(live.id())).await? {
        live.learn(&source, through);
    }
    if live.phase() != Phase::Erased {
        match patiently(store.find_session(live.id())).await? {
            Found::Here(session) if session.status == SessionStatus::Active => {}
            Found::Here(_) => hub.completed(live.id()),
            Found::Erased | Found::Never => hub.erased(live.id()),
        }
    }
    Ok(())
}
