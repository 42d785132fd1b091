//! What a request, a socket or a background job may use. Only data: what is done with it is in the modules above.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::Semaphore;

use crate::auth::TokenKey;
use crate::config::Config;
use crate::drain::Drain;
use crate::ingest::{Batcher, WriteCheck};
use crate::limits::{BAD_TOKENS, Limiter, PendingSockets, ReadSlots, Sharing, SocketCounts};
use crate::live::Hub;
use crate::observe::log_limit::LogLimit;
use crate::observe::metrics::{Metrics, Rendered};
use crate::replicas::{Cache, Parts, Replicas};
use crate::store::Store;

/// How often a client mistake that others can repeat at will is logged.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Shared by all requests and sockets; a clone is one reference.
#[derive(Clone, Debug)]
pub struct AppState(Arc<App>);

#[derive(Debug)]
pub struct App {
    pub config: Config,
    pub store: Store,
    pub batcher: Batcher,
    pub hub: Hub,
    /// Sessions, cached for a short time.
    pub cache: Cache,
    /// Samples by user.
    pub sample_limiter: Arc<Limiter>,
    /// HTTP requests by user.
    pub request_limiter: Arc<Limiter>,
    /// Bad tokens of hellos.
    pub bad_tokens: Limiter,
    /// Refused pages.
    pub(crate) origin_log: LogLimit,
    /// Upgrades that a proxy stripped of their headers.
    pub(crate) upgrade_log: LogLimit,
    pub replicas: Replicas,
    /// Long reads in progress.
    pub reads: ReadSlots,
    pub tokens: TokenKey,
    pub metrics: Metrics,
    /// Whether the store takes writes.
    pub write_check: WriteCheck,
    pub(crate) metrics_text: Rendered,
    pub drain: Drain,
    /// WebSockets that have not said hello.
    pub pending: PendingSockets,
    /// One permit for each WebSocket that has.
    pub connections: Arc<Semaphore>,
    /// The same by user, session and token.
    pub socket_counts: SocketCounts,
    /// Sources that may send.
    pub sources: Gauge,
}

impl Deref for AppState {
    type Target = App;
    fn deref(&self) -> &App {
        &self.0
    }
}

impl AppState {
    /// Builds the application and starts its tasks. To be called inside a runtime.
    pub fn new(config: Config, store: Store, metrics: Metrics) -> Self {
        let store = store.with_quota(config.quota);
        let Parts { hub, cache, sample_limiter, request_limiter, replicas } =
            Parts::start(&config, &store, &metrics);
        Self(Arc::new(App {
            batcher: Batcher::start(&store, &metrics, config.batch_size, config.batch_interval),
            hub,
            cache,
            sample_limiter,
            request_limiter,
            bad_tokens: Limiter::new(BAD_TOKENS, Sharing::Alone),
            origin_log: LogLimit::new(LOG_INTERVAL),
            upgrade_log: LogLimit::new(LOG_INTERVAL),
            replicas,
            reads: ReadSlots::new(config.database_max_connections),
            tokens: TokenKey::of(&config),
            write_check: WriteCheck::default(),
            drain: Drain::default(),
            pending: PendingSockets::new(config.pending),
            socket_counts: SocketCounts::new(config.sockets),
            connections: Arc::new(Semaphore::new(config.max_connections)),
            sources: Gauge::default(),
            metrics_text: Rendered::default(),
            metrics,
            store,
            config,
        }))
    }
}
