//! Finding, changing and erasing a session, so that everyone concerned is told.

use std::sync::Arc;

use mien_shared::api::{PatchSession, Session, SourceName};
use mien_shared::{SessionId, SessionStatus};
use tokio::task::JoinError;
use tracing::Instrument;

use crate::app::{App, AppState};
use crate::auth::{Revocation, Revoked};
use crate::live::Change;
use crate::replicas::{ChangeNotice, Known};
use crate::store::deadline::within_deadline;
use crate::store::{Found, StoreError};

#[derive(Clone, Debug, thiserror::Error)]
pub enum SessionError {
    #[error("no session has this id")]
    NotFound,
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// The task panicked, or the runtime ended.
    #[error("the change was aborted")]
    Aborted(#[source] Arc<JoinError>),
}

impl From<StoreError> for SessionError {
    fn from(cause: StoreError) -> Self {
        Self::Store(Arc::new(cause))
    }
}

impl From<Arc<StoreError>> for SessionError {
    fn from(cause: Arc<StoreError>) -> Self {
        Self::Store(cause)
    }
}

impl AppState {
    /// Renames or completes a session. Samples already taken are committed before a completion; then its
    /// sources are told, and its watchers get the rest.
    pub async fn update_session(&self, id: SessionId, patch: &PatchSession) -> Result<Session, SessionError> {
        let (app, patch) = (self.clone(), patch.clone());
        to_completion(async move { app.update(id, &patch).await }).await
    }

    /// Revokes tokens of a session, and ends the sockets that they opened.
    pub async fn revoke(&self, id: SessionId, revocation: Revocation) -> Result<(), SessionError> {
        let app = self.clone();
        to_completion(async move { app.revoke_tokens(id, &revocation).await }).await
    }

    /// Erases a session with all its samples. Once this begins, nobody can read its samples or add any.
    pub async fn erase_session(&self, id: SessionId) -> Result<(), SessionError> {
        let app = self.clone();
        to_completion(async move { app.erase(id).await }).await
    }
}

/// Finishes the work even if the caller is dropped, for example because its client disconnects: everyone concerned must
/// be told what was stored.
async fn to_completion<T: Send + 'static>(
    work: impl Future<Output = Result<T, SessionError>> + Send + 'static,
) -> Result<T, SessionError> {
    let finished = tokio::spawn(work.in_current_span()).await;
    finished.map_err(|cause| SessionError::Aborted(Arc::new(cause)))?
}

impl App {
    pub async fn session(&self, id: SessionId) -> Result<Session, SessionError> {
        self.session_and_revoked(id).await.map(|(session, _)| session)
    }

    /// The same, and which of its tokens were revoked.
    pub async fn session_and_revoked(&self, id: SessionId) -> Result<(Session, Arc<Revoked>), SessionError> {
        let Known { found, revoked } = self.cache.lookup(&self.store, id).await?;
        match found {
            Found::Here(session) => Ok((session, revoked)),
            Found::Erased | Found::Never => Err(SessionError::NotFound),
        }
    }

    /// Whether anyone sends to or watches a session, here or, according to Redis, at another relay.
    pub async fn is_anyone_connected(&self, id: SessionId) -> bool {
        self.hub.find(id).is_some() || self.replicas.is_anyone_connected(id).await
    }

    async fn revoke_tokens(&self, id: SessionId, revocation: &Revocation) -> Result<(), SessionError> {
        let revoked = within_deadline(self.store.revoke(id, revocation)).await?;
        let revoked = revoked.ok_or(SessionError::NotFound)?;
        self.announce(id, Change::Revoked(revoked.clone()), Vec::new()).await;
        self.hub.revoked(id, &revoked);
        Ok(())
    }

    async fn update(&self, id: SessionId, patch: &PatchSession) -> Result<Session, SessionError> {
        let completes = patch.status == Some(SessionStatus::Completed);
        if completes {
            self.flush(id).await?;
        }
        let session = within_deadline(self.store.update_session(id, patch)).await?;
        let session = session.ok_or(SessionError::NotFound)?;
        self.announce(id, Change::Updated(session.clone()), Vec::new()).await;
        if completes {
            self.hub.completed(id);
        }
        Ok(session)
    }

    async fn erase(&self, id: SessionId) -> Result<(), SessionError> {
        let sources = within_deadline(self.store.throughs(id)).await?;
        let erases = within_deadline(self.store.delete_session(id)).await?;
        // If the answer to an earlier erasure came too late, nobody was told about it: this attempt does so.
        if !erases && within_deadline(self.store.find_session(id)).await? != Found::Erased {
            return Err(SessionError::NotFound);
        }
        self.announce(id, Change::Erased, sources.into_iter().map(|(source, _)| source).collect()).await;
        self.hub.erased(id);
        Ok(self.store.sweep(Some(id)).await?)
    }

    /// Tells caches and other relays of a change, before its caller hears of it.
    async fn announce(&self, session: SessionId, change: Change, sources: Vec<SourceName>) {
        self.cache.changed(session, &change).await;
        let is_final = change == Change::Erased;
        self.replicas.publish_change(ChangeNotice { session, change, sources }).await;
        if !is_final {
            // Drops what was read from Redis before the change was published.
            self.cache.forget(session).await;
        }
    }

    /// Waits until all samples that were taken for a session so far are committed.
    async fn flush(&self, id: SessionId) -> Result<(), StoreError> {
        within_deadline(async {
            self.batcher.flush(id).await;
            Ok(())
        })
        .await
    }
}
