//! One connection per source: the newest claim wins, and may send only once the previous one has finished what it took.

use std::sync::Arc;

use mien_shared::api::SourceName;
use mien_shared::problem::CloseCode;
use tokio::sync::{Mutex, OwnedMutexGuard, SetOnce};

use super::session::LiveSession;
use super::state::{Holder, Phase};

/// A connection's claim to a source. The connection that held it before is told at once.
#[derive(Debug)]
pub struct Claim {
    live: Arc<LiveSession>,
    number: u64,
    ended: Arc<SetOnce<CloseCode>>,
    lock: Arc<Mutex<()>>,
}

/// The right to send for a source. Released once all that was taken is committed.
#[derive(Debug)]
pub struct SourceLock(#[allow(dead_code, reason = "held for its drop")] OwnedMutexGuard<()>);

impl LiveSession {
    /// Claims a source for a new connection.
    pub fn claim(self: &Arc<Self>, source: &SourceName) -> Claim {
        let mut state = self.lock();
        state.claims += 1;
        let claim = state.claims;
        let ended = Arc::default();
        let position = u64::try_from(crate::clock::now().as_millisecond()).unwrap_or(0);
        let index = state.holders.partition_point(|holder| holder.source < *source);
        let before = state.holders.get(index).filter(|holder| holder.source == *source);
        let lock = before.map_or_else(Arc::default, |before| Arc::clone(&before.lock));
        let holder = Holder {
            source: source.clone(),
            claim,
            ended: Arc::clone(&ended),
            lock: Arc::clone(&lock),
            position,
            announced: false,
        };
        if state.phase != Phase::Active {
            holder.end(CloseCode::SessionEnded);
        }
        if before.is_some() {
            std::mem::replace(&mut state.holders[index], holder).supersede();
        } else {
            state.holders.reserve_exact(1);
            state.holders.insert(index, holder);
        }
        drop(state);
        self.presence_changed();
        Claim { live: Arc::clone(self), number: claim, ended, lock }
    }
}

impl Claim {
    /// Returns once the previous connection has finished.
    pub async fn lock(&self) -> SourceLock {
        SourceLock(Arc::clone(&self.lock).lock_owned().await)
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
        // By its number: a newer claim to the same source stays.
        state.holders.retain(|holder| holder.claim != self.number);
        drop(state);
        self.live.presence_changed();
    }
}
