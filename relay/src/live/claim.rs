//! The one seat of each source: the newest connection has it, and gets it only when the one before has
//! finished what it took.

use std::sync::Arc;

use mien_shared::api::SourceName;
use mien_shared::problem::CloseCode;
use tokio::sync::{Mutex, OwnedMutexGuard, SetOnce};

use super::{Live, Phase};

/// Who holds, or is about to hold, the seat of a source.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) source: SourceName,
    pub(super) claim: u64,
    ended: Arc<SetOnce<CloseCode>>,
    turn: Arc<Mutex<()>>,
    /// Its place among the claims of all replicas: when it was made, in Unix milliseconds, or later.
    pub(super) at: u64,
    /// Whether the other replicas have heard of it.
    pub(super) announced: bool,
}

impl Holder {
    pub(super) fn supersede(&self) {
        self.end(CloseCode::Superseded);
    }

    /// Tells the connection why it must end. The first reason counts.
    pub(super) fn end(&self, why: CloseCode) {
        let _ = self.ended.set(why);
    }
}

/// A connection's claim to a source. Whoever held it before is told at once.
#[derive(Debug)]
pub struct Claim {
    live: Arc<Live>,
    number: u64,
    ended: Arc<SetOnce<CloseCode>>,
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
        let ended = Arc::default();
        let at = u64::try_from(crate::clock::now().as_millisecond()).unwrap_or(0);
        let place = state.holders.partition_point(|holder| holder.source < *source);
        let before = state.holders.get(place).filter(|holder| holder.source == *source);
        let turn = before.map_or_else(Arc::default, |before| Arc::clone(&before.turn));
        let holder = Holder {
            source: source.clone(),
            claim,
            ended: Arc::clone(&ended),
            turn: Arc::clone(&turn),
            at,
            announced: false,
        };
        if state.phase != Phase::Active {
            holder.end(CloseCode::SessionEnded);
        }
        if before.is_some() {
            std::mem::replace(&mut state.holders[place], holder).supersede();
        } else {
            state.holders.reserve_exact(1);
            state.holders.insert(place, holder);
        }
        drop(state);
        self.tell_presence();
        Claim { live: Arc::clone(self), number: claim, ended, turn }
    }
}

impl Claim {
    /// Returns once the connection before has finished.
    pub async fn seat(&self) -> Seat {
        Seat(Arc::clone(&self.turn).lock_owned().await)
    }

    /// Returns once the connection must end: a newer one has claimed the source, or the session is over.
    pub fn ended(&self) -> impl Future<Output = CloseCode> + Send + use<> {
        let ended = Arc::clone(&self.ended);
        async move { *ended.wait().await }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut state = self.live.lock();
        // By its number: a newer claim of the same source stays.
        state.holders.retain(|holder| holder.claim != self.number);
        drop(state);
        self.live.tell_presence();
    }
}
