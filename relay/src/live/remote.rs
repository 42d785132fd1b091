//! What a live session learns from other relays, and what they must be told about it.

use std::collections::BTreeMap;
use std::time::Instant;

use mien_shared::api::SourceName;
use uuid::Uuid;

use super::presence::Presence;
use super::ring::CommittedBatch;
use super::session::LiveSession;

/// A claim made here that the others have not heard of yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unannounced {
    pub(crate) source: SourceName,
    /// Which claim of this relay it is.
    pub(crate) claim: u64,
    /// Its position among all claims, as far as this relay knows.
    pub(crate) position: u64,
}

impl LiveSession {
    /// Takes a batch that another relay committed.
    pub(crate) fn receive(&self, source: SourceName, batch: CommittedBatch) {
        let mut state = self.lock();
        if state.watchers > 0 {
            state.rings.entry(source).or_default().push(batch);
            drop(state);
            self.wake_watchers();
        }
    }

    /// Takes from the store how far a source has come, whoever committed it.
    pub(crate) fn learn(&self, source: &SourceName, through: u64) {
        let mut state = self.lock();
        if state.watchers > 0 && state.rings.entry(source.clone()).or_default().learn(through) {
            drop(state);
            self.wake_watchers();
        }
    }

    /// Who is connected to this relay.
    pub(crate) fn presence_here(&self) -> Presence {
        self.lock().presence_here()
    }

    /// Takes who is connected to one other relay.
    pub(crate) fn set_remote_presence(&self, relay: Uuid, presence: Presence) {
        self.lock().remote.set(relay, presence, Instant::now());
        self.wake_watchers();
    }

    /// Takes who is connected to all others.
    pub(crate) fn replace_remote_presence(&self, all: BTreeMap<Uuid, Presence>) {
        self.lock().remote.replace(all, Instant::now());
        self.wake_watchers();
    }

    /// Forgets relays that are silent.
    pub(crate) fn expire_remote_presence(&self) {
        if self.lock().remote.expire(Instant::now()) {
            self.wake_watchers();
        }
    }

    pub(crate) fn unannounced_claims(&self) -> Vec<Unannounced> {
        let state = self.lock();
        let claims = state.holders.iter().filter(|holder| !holder.announced);
        claims
            .map(|holder| Unannounced {
                source: holder.source.clone(),
                claim: holder.claim,
                position: holder.position,
            })
            .collect()
    }

    /// A claim has its position among all claims; `top` is the highest of its source.
    pub(crate) fn claim_announced(&self, claimed: &Unannounced, position: u64, top: u64) {
        let mut state = self.lock();
        if let Some(holder) = state.holder(&claimed.source)
            && holder.claim == claimed.claim
        {
            holder.position = position;
            holder.announced = true;
            if top > position {
                holder.supersede();
            }
        }
    }

    /// Someone claimed a source. A claim of this relay that is not announced will learn its own position.
    pub(crate) fn claimed_elsewhere(&self, source: &SourceName, position: u64) {
        let mut state = self.lock();
        if let Some(holder) = state.holder(source)
            && holder.announced
            && holder.position < position
        {
            holder.supersede();
        }
    }

    /// The others may have forgotten all claims: they must be announced anew.
    pub(crate) fn forget_announcements(&self) {
        for holder in &mut self.lock().holders {
            holder.announced = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use mien_shared::SessionId;

    use super::*;
    use crate::live::claim::Claim;
    use crate::live::hub::Hub;

    fn superseded(claim: &Claim) -> bool {
        futures_util::FutureExt::now_or_never(claim.ended()).is_some()
    }

    #[test]
    fn the_later_claim_wins_wherever_it_was_made() {
        let live = Hub::default().join(SessionId(Uuid::now_v7()));
        let main = SourceName::default();
        let claim = live.claim(&main);
        let own = live.unannounced_claims().pop().unwrap();
        live.claimed_elsewhere(&main, u64::MAX);
        assert!(!superseded(&claim), "its own position is not known yet");
        live.claim_announced(&own, own.position, own.position);
        assert_eq!(live.unannounced_claims(), []);
        live.claimed_elsewhere(&main, own.position);
        assert!(!superseded(&claim), "that was its own announcement");
        live.claimed_elsewhere(&main, own.position + 1);
        assert!(superseded(&claim));
        drop(claim);

        let claim = live.claim(&main);
        let own = live.unannounced_claims().pop().unwrap();
        live.claim_announced(&own, own.position, own.position + 5);
        assert!(superseded(&claim), "announced too late");
        live.forget_announcements();
        assert_eq!(live.unannounced_claims().len(), 1);
    }
}
