//! The hub: finds live sessions, and tells those connected what happened to theirs.

use std::sync::Arc;

use mien_shared::{SessionId, SessionStatus};

use super::change::Change;
use super::outbox::RemoteLink;
use super::session::{LiveSession, Registry};
use super::state::Phase;
use crate::auth::Revoked;

/// All sessions that anyone is connected to. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Hub(Arc<Registry>);

impl Hub {
    /// One whose sessions other relays hear of.
    pub(crate) fn linked(link: RemoteLink) -> Self {
        Self(Arc::new(Registry::linked(link)))
    }

    pub(crate) fn link(&self) -> Option<&RemoteLink> {
        self.0.link.as_ref()
    }

    /// The live session of this id, for as long as the caller keeps it.
    pub fn join(&self, id: SessionId) -> Arc<LiveSession> {
        self.0.join(id)
    }

    /// The session, if anyone is connected to it.
    pub(crate) fn find(&self, id: SessionId) -> Option<Arc<LiveSession>> {
        self.0.find(id)
    }

    pub(crate) fn all(&self) -> Vec<Arc<LiveSession>> {
        self.0.all()
    }

    /// Tells those connected that the session accepts no more samples. To be called once the store knows.
    pub fn completed(&self, id: SessionId) {
        self.enter_phase(id, Phase::Completed);
    }

    /// Tells those connected that the session is gone. To be called once the store knows.
    pub fn erased(&self, id: SessionId) {
        self.enter_phase(id, Phase::Erased);
    }

    /// Tells connections whose token was revoked. To be called once the store and the caches know.
    pub fn revoked(&self, id: SessionId, revoked: &Revoked) {
        let Some(live) = self.find(id) else { return };
        for token in &live.lock().tokens {
            if revoked.covers(&token.stamp) {
                let _ = token.revoked.set(());
            }
        }
    }

    /// Tells those connected what another relay did to the session.
    pub(crate) fn changed(&self, id: SessionId, change: &Change) {
        match change {
            Change::Erased => self.erased(id),
            Change::Updated(session) if session.status == SessionStatus::Completed => self.completed(id),
            Change::Updated(_) => {}
            Change::Revoked(revoked) => self.revoked(id, revoked),
        }
    }

    fn enter_phase(&self, id: SessionId, phase: Phase) {
        if let Some(live) = self.find(id) {
            live.enter_phase(phase);
        }
    }
}

#[cfg(test)]
mod tests {
    use mien_shared::api::SourceName;
    use mien_shared::problem::CloseCode;
    use uuid::Uuid;

    use super::*;
    use crate::live::claim::Claim;

    #[test]
    fn a_session_goes_with_the_last_who_is_connected() {
        let hub = Hub::default();
        let id = SessionId(Uuid::now_v7());
        let (one, two) = (hub.join(id), hub.join(id));
        assert!(Arc::ptr_eq(&one, &two));
        drop(one);
        assert_eq!(hub.0.len(), 1);
        drop(two);
        assert_eq!(hub.0.len(), 0);
    }

    #[test]
    fn a_connection_hears_of_the_end_once_whenever_it_comes() {
        let hub = Hub::default();
        let live = hub.join(SessionId(Uuid::now_v7()));
        let main = SourceName::default();
        let ended = |claim: &Claim| futures_util::FutureExt::now_or_never(claim.ended());
        let first = live.claim(&main);
        assert_eq!(ended(&first), None);
        let second = live.claim(&main);
        assert_eq!(ended(&first), Some(CloseCode::Superseded));
        hub.completed(live.id());
        assert_eq!(ended(&first), Some(CloseCode::Superseded), "it was over before");
        assert_eq!(ended(&second), Some(CloseCode::SessionEnded));
        assert_eq!(ended(&live.claim(&main)), Some(CloseCode::SessionEnded), "it came too late");
    }
}
