//! A session that someone is connected to, and the registry of all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use mien_shared::api::SourceName;
use mien_shared::problem::CloseCode;
use mien_shared::{Sample, SessionId};
use tokio::sync::watch;

use super::message::samples_message;
use super::outbox::RemoteLink;
use super::presence::Presence;
use super::ring::CommittedBatch;
use super::state::{Phase, State};
use crate::store::Take;

/// All live sessions.
#[derive(Debug, Default)]
pub(super) struct Registry {
    sessions: Mutex<HashMap<SessionId, Weak<LiveSession>>>,
    /// Where there may be other relays.
    pub(super) link: Option<RemoteLink>,
}

/// A session that someone is connected to. It goes when the last of them does.
#[derive(Debug)]
pub struct LiveSession {
    id: SessionId,
    registry: Arc<Registry>,
    /// Changes with everything that a watcher may want to know. Created for the first watcher: most sessions have none,
    /// and it takes half a kilobyte.
    news: OnceLock<watch::Sender<()>>,
    state: Mutex<State>,
}

impl Registry {
    pub(super) fn linked(link: RemoteLink) -> Self {
        Self { sessions: Mutex::default(), link: Some(link) }
    }

    pub(super) fn join(self: &Arc<Self>, id: SessionId) -> Arc<LiveSession> {
        let mut sessions = self.lock();
        if let Some(live) = sessions.get(&id).and_then(Weak::upgrade) {
            return live;
        }
        let live = Arc::new(LiveSession {
            id,
            registry: Arc::clone(self),
            news: OnceLock::new(),
            state: Mutex::default(),
        });
        sessions.insert(id, Arc::downgrade(&live));
        live
    }

    pub(super) fn find(&self, id: SessionId) -> Option<Arc<LiveSession>> {
        self.lock().get(&id).and_then(Weak::upgrade)
    }

    pub(super) fn all(&self) -> Vec<Arc<LiveSession>> {
        // Collected before any is dropped: the last reference to one locks the map.
        self.lock().values().filter_map(Weak::upgrade).collect()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Weak<LiveSession>>> {
        // A map of handles: whatever panicked, each entry is whole.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LiveSession {
    fn drop(&mut self) {
        let mut sessions = self.registry.lock();
        // Another may have joined since the last reference went.
        if sessions.get(&self.id).is_some_and(|live| live.strong_count() == 0) {
            sessions.remove(&self.id);
        }
        drop(sessions);
        self.mark_dirty();
    }
}

impl LiveSession {
    pub fn id(&self) -> SessionId {
        self.id
    }

    pub(crate) fn phase(&self) -> Phase {
        self.lock().phase
    }

    /// Passes on what was just committed for a source. Only the batcher calls it, and so in order of seq.
    pub fn publish(&self, source: &SourceName, take: &Take, stored: &[&Sample]) {
        let watched = self.is_watched();
        let link = self.link();
        if stored.is_empty() || !(watched || link.is_some()) {
            return;
        }
        // Serialised once for all watchers, and outside the lock.
        let text = samples_message(source, stored);
        let batch = CommittedBatch { before: take.before, first: stored[0].seq, through: take.through, text };
        if let Some(link) = link {
            link.outbox.offer(self.id, source.clone(), batch.clone());
        }
        if watched {
            self.lock().rings.entry(source.clone()).or_default().push(batch);
            self.wake_watchers();
        }
    }

    /// Who is connected, here and at other relays.
    pub fn presence(&self) -> Presence {
        let state = self.lock();
        state.remote.merged_with(state.presence_here())
    }

    /// Whether a connection here has claimed this source.
    pub(crate) fn is_claimed(&self, source: &SourceName) -> bool {
        self.lock().holder(source).is_some()
    }

    /// Whether anyone watches here.
    pub(crate) fn is_watched(&self) -> bool {
        self.lock().watchers > 0
    }

    /// Takes over a new phase and ends the sources' connections.
    pub(super) fn enter_phase(&self, phase: Phase) {
        let mut state = self.lock();
        state.phase = state.phase.max(phase);
        for holder in &state.holders {
            holder.end(CloseCode::SessionEnded);
        }
        drop(state);
        self.wake_watchers();
    }

    pub(super) fn link(&self) -> Option<&RemoteLink> {
        self.registry.link.as_ref()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.news.get_or_init(|| watch::Sender::new(())).subscribe()
    }

    pub(super) fn wake_watchers(&self) {
        if let Some(news) = self.news.get() {
            news.send_replace(());
        }
    }

    /// Wakes those who want to know who is connected, here and at other relays.
    pub(super) fn presence_changed(&self) {
        self.wake_watchers();
        self.mark_dirty();
    }

    fn mark_dirty(&self) {
        if let Some(link) = self.link() {
            link.dirty.mark(self.id);
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Every change to the state is one insert, removal or addition: nothing can be left half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
