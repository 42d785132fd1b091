//! Where the hub meets the other replicas: what it hands out, and what it is told.
//!
//! The way to Redis is not here: it takes sessions from [`Marks`], looks at them, and calls back.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use mien_shared::SessionId;
use mien_shared::api::SourceName;
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use super::{Live, Piece, Presence, Watching};
use crate::replicas::redis::{Outbox, QUICK};

/// The hub's side of the way to other replicas.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) outbox: Outbox,
    /// Sessions that someone joined or left here.
    pub(crate) changed: Marks,
    /// Whether the others are heard.
    pub(crate) linked: watch::Receiver<bool>,
}

/// Sessions that somebody must look at: each once, however often it is marked. One task takes them.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    ids: Mutex<HashSet<SessionId>>,
    some: Notify,
}

impl Marks {
    pub(crate) fn mark(&self, id: SessionId) {
        self.lock(|ids| ids.insert(id));
        self.some.notify_one();
    }

    /// All that are marked; waits for the first.
    pub(crate) async fn take(&self) -> HashSet<SessionId> {
        loop {
            let ids = self.take_now();
            if !ids.is_empty() {
                return ids;
            }
            self.some.notified().await;
        }
    }

    pub(crate) fn take_now(&self) -> HashSet<SessionId> {
        self.lock(std::mem::take)
    }

    fn lock<T>(&self, act: impl FnOnce(&mut HashSet<SessionId>) -> T) -> T {
        act(&mut self.ids.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A claim of this replica that the others have not heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unannounced {
    pub(crate) source: SourceName,
    /// Which claim of this replica it is.
    pub(crate) claim: u64,
    /// Its place in the order of all claims, as far as this replica knows.
    pub(crate) at: u64,
}

impl Live {
    /// Takes a batch that another replica committed.
    pub(crate) fn receive(&self, source: SourceName, piece: Piece) {
        let mut state = self.lock();
        if state.watchers > 0 {
            state.rings.entry(source).or_default().push(piece);
            drop(state);
            self.tell();
        }
    }

    /// Takes from the store how far a source has come, whoever committed it.
    pub(crate) fn learn(&self, source: &SourceName, through: u64) {
        let mut state = self.lock();
        if state.watchers > 0 && state.rings.entry(source.clone()).or_default().learn(through) {
            drop(state);
            self.tell();
        }
    }

    /// Who is connected to this replica.
    pub(crate) fn presence_here(&self) -> Presence {
        self.lock().presence_here()
    }

    /// Takes who is connected to one other replica.
    pub(crate) fn present_there(&self, replica: Uuid, presence: Presence) {
        self.lock().elsewhere.set(replica, presence, Instant::now());
        self.tell();
    }

    /// Takes who is connected to all others.
    pub(crate) fn present_elsewhere(&self, all: BTreeMap<Uuid, Presence>) {
        self.lock().elsewhere.replace(all, Instant::now());
        self.tell();
    }

    /// Forgets replicas that are silent.
    pub(crate) fn prune(&self) {
        if self.lock().elsewhere.prune(Instant::now()) {
            self.tell();
        }
    }

    /// Claims that are to be announced.
    pub(crate) fn unannounced(&self) -> Vec<Unannounced> {
        let state = self.lock();
        let claims = state.holders.iter().filter(|holder| !holder.announced);
        claims
            .map(|holder| Unannounced { source: holder.source.clone(), claim: holder.claim, at: holder.at })
            .collect()
    }

    /// A claim has its place in the order of all claims; `top` is the highest of its source.
    pub(crate) fn announced(&self, claimed: &Unannounced, at: u64, top: u64) {
        let mut state = self.lock();
        if let Some(holder) = state.holder(&claimed.source)
            && holder.claim == claimed.claim
        {
            holder.at = at;
            holder.announced = true;
            if top > at {
                holder.supersede();
            }
        }
    }

    /// Someone claimed a source. A claim of this replica that is not announced will learn its own place.
    pub(crate) fn claimed(&self, source: &SourceName, at: u64) {
        let mut state = self.lock();
        if let Some(holder) = state.holder(source)
            && holder.announced
            && holder.at < at
        {
            holder.supersede();
        }
    }

    /// The others may have forgotten all claims: they are to be announced anew.
    pub(crate) fn forget_announcements(&self) {
        for holder in &mut self.lock().holders {
            holder.announced = false;
        }
    }
}

impl Watching {
    /// Returns once it is known who is connected to the others, or could have been.
    pub(crate) async fn know_others(&mut self) {
        if self.live.hub.link().is_none_or(|link| !*link.linked.borrow()) {
            return;
        }
        let known = async {
            while !self.live.lock().elsewhere.is_known() {
                self.news().await;
            }
        };
        let _ = tokio::time::timeout(QUICK, known).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Hub;

    fn superseded(claim: &crate::live::Claim) -> bool {
        futures_util::FutureExt::now_or_never(claim.ended()).is_some()
    }

    #[test]
    fn the_later_claim_wins_wherever_it_was_made() {
        let live = Hub::default().join(SessionId(Uuid::now_v7()));
        let main = SourceName::default();
        let claim = live.claim(&main);
        let own = live.unannounced().pop().unwrap();
        live.claimed(&main, u64::MAX);
        assert!(!superseded(&claim), "its own place is not known yet");
        live.announced(&own, own.at, own.at);
        assert_eq!(live.unannounced(), []);
        live.claimed(&main, own.at);
        assert!(!superseded(&claim), "that was its own announcement");
        live.claimed(&main, own.at + 1);
        assert!(superseded(&claim));
        drop(claim);

        let claim = live.claim(&main);
        let own = live.unannounced().pop().unwrap();
        live.announced(&own, own.at, own.at + 5);
        assert!(superseded(&claim), "announced too late");
        live.forget_announcements();
        assert_eq!(live.unannounced().len(), 1);
    }

    #[tokio::test]
    async fn marks_are_taken_once() {
        let (marks, id) = (Marks::default(), SessionId(Uuid::now_v7()));
        marks.mark(id);
        marks.mark(id);
        assert_eq!(marks.take().await.len(), 1);
        assert!(marks.take_now().is_empty());
    }
}
