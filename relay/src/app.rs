//! The application: everything a request or a socket may use, and the routes.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use mien_shared::api::{PatchSession, Session, SourceName};
use mien_shared::{Code, SessionId, SessionStatus};
use tokio::sync::Semaphore;

use crate::auth::TokenKey;
use crate::batcher::Batcher;
use crate::cache::Cache;
use crate::config::Config;
use crate::hub::Hub;
use crate::limiter::{Limiter, Sharing};
use crate::metrics::Metrics;
use crate::problem::ApiError;
use crate::redis::{Change, Tell};
use crate::replicas::{Parts, Replicas};
use crate::shutdown::Drain;
use crate::store::{Found, Store};
use crate::{http, page, socket};

/// Patience with the store where a caller waits for an answer.
const STORE_PATIENCE: Duration = Duration::from_secs(5);

/// Shared by all requests and sockets; a clone is one reference.
#[derive(Clone, Debug)]
pub struct AppState(Arc<App>);

#[derive(Debug)]
pub struct App {
    pub config: Config,
    pub store: Store,
    pub batcher: Batcher,
    pub hub: Hub,
    /// Sessions, as they were a moment ago.
    pub cache: Cache,
    /// Samples by user.
    pub sample_limiter: Arc<Limiter>,
    /// HTTP requests by user.
    pub request_limiter: Arc<Limiter>,
    /// Refused hellos.
    pub refusals: Limiter,
    pub replicas: Replicas,
    pub tokens: TokenKey,
    pub metrics: Metrics,
    pub drain: Drain,
    /// One permit a WebSocket.
    pub connections: Arc<Semaphore>,
}

impl Deref for AppState {
    type Target = App;
    fn deref(&self) -> &App {
        &self.0
    }
}

impl AppState {
    /// Builds the application and starts its tasks. Call it inside a runtime.
    pub fn new(config: Config, store: Store, metrics: Metrics) -> Self {
        let Parts { hub, cache, sample_limiter, request_limiter, replicas } =
            Parts::start(&config, &store, &metrics);
        Self(Arc::new(App {
            batcher: Batcher::start(&store, &metrics, config.batch_size, config.batch_interval),
            hub,
            cache,
            sample_limiter,
            request_limiter,
            refusals: Limiter::new(socket::REFUSALS, Sharing::Alone),
            replicas,
            tokens: TokenKey::new(config.token_secret.bytes()),
            drain: Drain::default(),
            connections: Arc::new(Semaphore::new(config.max_connections)),
            metrics,
            store,
            config,
        }))
    }
}

impl App {
    /// Whether the relay can take work, for `/readyz`.
    pub async fn ready(&self) -> Result<(), ApiError> {
        if self.drain.has_begun() {
            return Err(ApiError::new(Code::Draining, "the relay is shutting down"));
        }
        if self.batcher.is_failing() {
            return Err(ApiError::new(Code::StoreUnavailable, "samples cannot be stored at the moment"));
        }
        patiently(self.store.ready()).await
    }

    /// All metrics as OpenMetrics text, for `/metrics`.
    pub fn render_metrics(&self) -> String {
        let (in_use, idle) = self.store.pool_usage();
        self.metrics.pool_in_use.set(i64::from(in_use));
        self.metrics.pool_idle.set(i64::from(idle));
        self.metrics.render()
    }

    /// The session, or 404.
    pub async fn session(&self, id: SessionId) -> Result<Session, ApiError> {
        match self.cache.find(&self.store, id).await? {
            Found::Here(session) => Ok(session),
            Found::Erased | Found::Never => Err(no_such_session()),
        }
    }

    /// Renames or completes a session. Samples already taken are committed before a completion; then its
    /// sources are told, and its watchers get the rest.
    pub async fn update_session(&self, id: SessionId, patch: &PatchSession) -> Result<Session, ApiError> {
        let completes = patch.status == Some(SessionStatus::Completed);
        if completes {
            self.settle().await?;
        }
        let session = patiently(self.store.update_session(id, patch)).await?.ok_or_else(no_such_session)?;
        self.changed(id, Change::Updated(session.clone()), Vec::new()).await;
        if completes {
            self.hub.completed(id);
        }
        Ok(session)
    }

    /// Erases a session with all its samples. Once this begins nobody can read or add any; it goes on to the
    /// end even if the caller does not wait.
    pub async fn erase_session(&self, id: SessionId) -> Result<(), ApiError> {
        let sources = patiently(self.store.throughs(id)).await?;
        if !patiently(self.store.delete_session(id)).await? {
            return Err(no_such_session());
        }
        self.changed(id, Change::Erased, sources.into_iter().map(|(source, _)| source).collect()).await;
        self.hub.erased(id);
        let store = self.store.clone();
        let swept = tokio::spawn(async move { store.sweep().await }).await;
        swept
            .map_err(|_| ApiError::new(Code::Internal, "erasing stopped; it goes on at the next start"))??;
        Ok(())
    }

    /// A session is no longer what others hold: told before its caller hears of it.
    async fn changed(&self, session: SessionId, change: Change, sources: Vec<SourceName>) {
        let tell = Tell { session, change, sources };
        self.cache.changed(session, &tell.change).await;
        self.replicas.tell(tell).await;
    }

    /// Waits until all samples taken so far are committed.
    async fn settle(&self) -> Result<(), ApiError> {
        tokio::time::timeout(STORE_PATIENCE, self.batcher.flush()).await.map_err(|_| too_slow())
    }
}

/// Gives up on a store that does not answer.
pub async fn patiently<T>(call: impl Future<Output = crate::store::Result<T>>) -> Result<T, ApiError> {
    match tokio::time::timeout(STORE_PATIENCE, call).await {
        Ok(answer) => answer.map_err(ApiError::from),
        Err(_) => Err(too_slow()),
    }
}

fn no_such_session() -> ApiError {
    ApiError::new(Code::SessionNotFound, "no session has this id")
}

fn too_slow() -> ApiError {
    ApiError::new(Code::StoreUnavailable, "the store does not answer in time")
}

/// Every route of the relay.
pub fn router(state: AppState) -> Router {
    let routes = Router::new().merge(socket::routes()).merge(http::routes(&state)).merge(page::routes());
    http::layer(routes, &state).with_state(state)
}
