//! The application: everything a request or a socket may use, and the routes.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use mien_shared::api::{PatchSession, Session, SourceName};
use mien_shared::problem::CloseCode;
use mien_shared::{Code, SessionId, SessionStatus};
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::Semaphore;
use tracing::Instrument;

use crate::auth::{Revocation, Revoked, TokenKey};
use crate::config::Config;
use crate::http::problem::ApiError;
use crate::http::{self, origin, page};
use crate::ingest::batcher::Batcher;
use crate::ingest::writable::Writable;
use crate::limits::limiter::{Limiter, Sharing};
use crate::limits::pending::Pending;
use crate::limits::reads::Reads;
use crate::limits::sockets::SocketCounts;
use crate::live::Hub;
use crate::observe::metrics::{Metrics, Rendered};
use crate::replicas::cache::{Cache, Known};
use crate::replicas::redis::{Change, Tell};
use crate::replicas::{Parts, Replicas};
use crate::serve::shutdown::Drain;
use crate::socket;
use crate::store::{Found, Store, StoreError};

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
    /// Refused pages.
    pub origin_refusals: origin::Refusals,
    pub(crate) spoiled_upgrades: socket::SpoiledUpgrades,
    pub replicas: Replicas,
    /// Long reads that are under way.
    pub reads: Reads,
    pub tokens: TokenKey,
    pub metrics: Metrics,
    /// Whether the store takes writes.
    pub writable: Writable,
    metrics_text: Rendered,
    /// The OpenAPI document, with this relay's limits.
    pub openapi: Bytes,
    pub drain: Drain,
    /// WebSockets that have not said hello.
    pub pending: Pending,
    /// One permit a WebSocket that has.
    pub connections: Arc<Semaphore>,
    /// The same by user, session and token.
    pub socket_counts: SocketCounts,
    /// Sources that were let in and have their seat.
    pub sources: Gauge,
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
        let store = store.within(config.quota);
        let Parts { hub, cache, sample_limiter, request_limiter, replicas } =
            Parts::start(&config, &store, &metrics);
        Self(Arc::new(App {
            batcher: Batcher::start(&store, &metrics, config.batch_size, config.batch_interval),
            hub,
            cache,
            sample_limiter,
            request_limiter,
            refusals: Limiter::new(socket::REFUSALS, Sharing::Alone),
            origin_refusals: origin::Refusals::default(),
            spoiled_upgrades: socket::SpoiledUpgrades::default(),
            replicas,
            reads: Reads::new(config.database_max_connections),
            tokens: TokenKey::of(&config),
            writable: Writable::default(),
            drain: Drain::default(),
            pending: Pending::new(config.pending),
            socket_counts: SocketCounts::new(config.sockets),
            connections: Arc::new(Semaphore::new(config.max_connections)),
            sources: Gauge::default(),
            metrics_text: Rendered::default(),
            openapi: http::openapi_text(&config),
            metrics,
            store,
            config,
        }))
    }
}

impl AppState {
    /// Renames or completes a session. Samples already taken are committed before a completion; then its
    /// sources are told, and its watchers get the rest.
    pub async fn update_session(&self, id: SessionId, patch: &PatchSession) -> Result<Session, ApiError> {
        let (app, patch) = (self.clone(), patch.clone());
        surely(async move { app.update(id, &patch).await }).await
    }

    /// Believes some tokens of a session no longer, and ends the sockets that they opened.
    pub async fn revoke(&self, id: SessionId, revocation: Revocation) -> Result<(), ApiError> {
        let app = self.clone();
        surely(async move { app.revoke_tokens(id, &revocation).await }).await
    }

    /// Erases a session with all its samples. Once this begins nobody can read or add any.
    pub async fn erase_session(&self, id: SessionId) -> Result<(), ApiError> {
        let app = self.clone();
        surely(async move { app.erase(id).await }).await
    }
}

/// Does something to the end, even if its caller goes away, as one does whose client hangs up: what is stored must
/// be told to those it concerns.
async fn surely<T: Send + 'static>(
    work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::spawn(work.in_current_span()).await.map_err(ApiError::internal)?
}

impl App {
    /// Whether the relay can take work, for `/readyz`.
    pub async fn ready(&self) -> Result<(), ApiError> {
        if self.drain.has_begun() {
            return Err(ApiError::new(Code::Draining, "the relay is shutting down"));
        }
        let stored = async {
            patiently(self.store.ready()).await?;
            if self.batcher.is_failing() {
                return Err(ApiError::new(Code::StoreUnavailable, "samples cannot be stored at the moment"));
            }
            self.writable.ask(&self.store).await
        };
        stored.await.map_err(ApiError::with_reason)
    }

    /// All metrics as OpenMetrics text.
    pub fn render_metrics(&self) -> String {
        let (in_use, idle) = self.store.pool_usage();
        self.metrics.pool_in_use.set(i64::from(in_use));
        self.metrics.pool_idle.set(i64::from(idle));
        self.metrics.render()
    }

    /// The same of a moment ago, for `/metrics`: rendering takes milliseconds, and anyone may ask.
    pub async fn metrics_text(&self) -> Bytes {
        self.metrics_text.get(self.config.timeouts.metrics, || self.render_metrics()).await
    }

    /// The session, or 404.
    pub async fn session(&self, id: SessionId) -> Result<Session, ApiError> {
        self.session_and_revoked(id).await.map(|(session, _)| session)
    }

    /// The same, and what was revoked of its tokens.
    pub async fn session_and_revoked(&self, id: SessionId) -> Result<(Session, Arc<Revoked>), ApiError> {
        let Known { found, revoked } = self.cache.know(&self.store, id).await?;
        match found {
            Found::Here(session) => Ok((session, revoked)),
            Found::Erased | Found::Never => Err(no_such_session()),
        }
    }

    async fn revoke_tokens(&self, id: SessionId, revocation: &Revocation) -> Result<(), ApiError> {
        let revoked = patiently(self.store.revoke(id, revocation)).await?.ok_or_else(no_such_session)?;
        self.changed(id, Change::Revoked(revoked.clone()), Vec::new()).await;
        self.hub.revoked(id, &revoked);
        Ok(())
    }

    async fn update(&self, id: SessionId, patch: &PatchSession) -> Result<Session, ApiError> {
        let completes = patch.status == Some(SessionStatus::Completed);
        if completes {
            self.settle(id).await?;
        }
        let session = patiently(self.store.update_session(id, patch)).await?.ok_or_else(no_such_session)?;
        self.changed(id, Change::Updated(session.clone()), Vec::new()).await;
        if completes {
            self.hub.completed(id);
        }
        Ok(session)
    }

    async fn erase(&self, id: SessionId) -> Result<(), ApiError> {
        let sources = patiently(self.store.throughs(id)).await?;
        let erases = patiently(self.store.delete_session(id)).await?;
        // An erasure whose answer came too late was told to nobody: whoever tries again does it.
        if !erases && patiently(self.store.find_session(id)).await? != Found::Erased {
            return Err(no_such_session());
        }
        self.changed(id, Change::Erased, sources.into_iter().map(|(source, _)| source).collect()).await;
        self.hub.erased(id);
        Ok(self.store.sweep(Some(id)).await?)
    }

    /// Whether anyone sends to or watches a session, here or, where Redis says so, at another relay.
    pub async fn is_anyone_connected(&self, id: SessionId) -> bool {
        self.hub.find(id).is_some() || self.replicas.is_anyone_connected(id).await
    }

    /// A session is no longer what others hold: told before its caller hears of it.
    async fn changed(&self, session: SessionId, change: Change, sources: Vec<SourceName>) {
        let tell = Tell { session, change, sources };
        self.cache.changed(session, &tell.change).await;
        let is_last = tell.change == Change::Erased;
        self.replicas.tell(tell).await;
        if !is_last {
            // What was read from Redis before it was told.
            self.cache.forget(session).await;
        }
    }

    /// What a socket needs of the store. What the store refuses, it would refuse again; where it does not answer, the
    /// connection is worth another try, here or elsewhere.
    pub fn for_socket<T>(&self, answer: Result<T, impl Into<ApiError>>) -> Result<T, CloseCode> {
        answer.map_err(|cause| {
            let cause = cause.into();
            match cause.code {
                Code::SessionEnded => CloseCode::SessionEnded,
                Code::QuotaExceeded => {
                    tracing::info!(detail = cause.detail, "a connection is refused");
                    CloseCode::QuotaExceeded
                }
                _ => {
                    tracing::warn!(cause = %cause.chain(), "a connection closes, as the store cannot serve it");
                    self.count_store_error(&cause);
                    CloseCode::AtCapacity
                }
            }
        })
    }

    /// Counts a failure of the store, if that is what it is.
    pub fn count_store_error(&self, error: &ApiError) {
        let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<StoreError>());
        if let Some(cause) = cause {
            self.metrics.count_store_error(cause);
        }
    }

    /// Waits until all samples that were taken for a session so far are committed.
    async fn settle(&self, id: SessionId) -> Result<(), ApiError> {
        tokio::time::timeout(STORE_PATIENCE, self.batcher.flush(id))
            .await
            .map_err(|_| StoreError::TimedOut.into())
    }
}

/// Gives up on a store that does not answer.
pub async fn patiently<T>(call: impl Future<Output = crate::store::Result<T>>) -> Result<T, ApiError> {
    match tokio::time::timeout(STORE_PATIENCE, call).await {
        Ok(answer) => answer.map_err(ApiError::from),
        Err(_) => Err(StoreError::TimedOut.into()),
    }
}

fn no_such_session() -> ApiError {
    ApiError::new(Code::SessionNotFound, "no session has this id")
}

/// Every route of the relay.
pub fn router(state: AppState) -> Router {
    let routes = Router::new()
        .merge(socket::routes())
        .merge(http::routes(&state))
        .merge(page::routes(&state.config.base_path));
    http::layer(routes, &state).with_state(state)
}
