//! The one seat of each source: the newest connection has it, and gets it only when the one before has
//! finished what it took.

use std::sync::Arc;

use mien_shared::api::SourceName;
use tokio::sync::{Mutex, OwnedMutexGuard, SetOnce};

use super::Live;

/// Who holds, or is about to hold, the seat of a source.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) claim: u64,
    superseded: Arc<SetOnce<()>>,
    turn: Arc<Mutex<()>>,
    /// Its place among the claims of all replicas: when it was made, in Unix milliseconds, or later.
    pub(super) at: u64,
    /// Whether the other replicas have heard of it.
    pub(super) announced: bool,
}

impl Holder {
    pub(super) fn supersede(&self) {
        // Told twice is told.
        let _ = self.superseded.set(());
    }
}

/// A connection's claim to a source. Whoever held it before is told at once.
#[derive(Debug)]
pub struct Claim {
    live: Arc<Live>,
    source: SourceName,
    number: u64,
    superseded: Arc<SetOnce<()>>,
    turn: Arc<Mutex<()>>,
}

/// The right to send for a source. Let go of once all that was taken is committed.
#[derive(Debug)]
pub struct Seat(#[allow(dead_code, reason = "held for its drop")] OwnedMutexGuard<()>);

impl Live {
    /// Claims a source for a new connection.
    pub fn claim(self: &Arc<Self>, source: &SourceName) -> Claim {
        let mut state = self.lock();
        state.claims += 1;
        let claim = state.claims;
        let superseded = Arc::<SetOnce<()>>::default();
        let turn = match state.holders.get(source) {
            Some(before) => {
                before.supersede();
                Arc::clone(&before.turn)
            }
            None => Arc::default(),
        };
        let at = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0);
        let holder = Holder {
            claim,
            superseded: Arc::clone(&superseded),
            turn: Arc::clone(&turn),
            at,
            announced: false,
        };
        state.holders.insert(source.clone(), holder);
        drop(state);
        self.tell_presence();
        Claim { live: Arc::clone(self), source: source.clone(), number: claim, superseded, turn }
    }
}

impl Claim {
    /// Returns once the connection before has finished.
    pub async fn seat(&self) -> Seat {
        Seat(Arc::clone(&self.turn).lock_owned().await)
    }

    /// Returns once a newer connection has claimed the source.
    pub fn superseded(&self) -> impl Future<Output = ()> + Send + use<> {
        let superseded = Arc::clone(&self.superseded);
        async move {
            superseded.wait().await;
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut state = self.live.lock();
        if state.holders.get(&self.source).is_some_and(|holder| holder.claim == self.number) {
            state.holders.remove(&self.source);
        }
        drop(state);
        self.live.tell_presence();
    }
}
