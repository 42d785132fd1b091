//! What deals with other relays over the same database: this relay's hub, caches and limits, and the tasks that link
//! them to the others, through Redis or by polling the store.

use std::sync::Arc;
use std::time::Duration;

use mien_shared::SessionId;
use mien_shared::api::SourceName;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::cache::{Cache, RemoteChanges};
use super::redis::bridge::Bridge;
use super::redis::client::Redis;
use super::redis::limits::share_limits;
use super::redis::link_state::LinkState;
use super::redis::publisher::{ChangePublisher, Publisher};
use super::redis::seal::Seal;
use super::redis::sessions::ChangeNotice;
use super::{poll, revocations};
use crate::config::Config;
use crate::limits::{Limiter, Sharing};
use crate::live::{CommittedBatch, DirtySessions, Hub, Outbox, RemoteLink};
use crate::observe::metrics::Metrics;
use crate::store::Store;

/// Time that the last batches have to reach Redis when the relay ends.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// The parts that know of other relays.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) hub: Hub,
    pub(crate) cache: Cache,
    pub(crate) sample_limiter: Arc<Limiter>,
    pub(crate) request_limiter: Arc<Limiter>,
    pub(crate) replicas: Replicas,
}

/// The link to the other relays, if there may be any.
#[derive(Debug)]
pub struct Replicas {
    redis: Option<Link>,
    /// End with the relay.
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Link {
    redis: Redis,
    outbox: Outbox,
    changes: ChangePublisher,
}

impl Parts {
    /// Builds the parts and starts their tasks. Call it inside a runtime.
    pub(crate) fn start(config: &Config, store: &Store, metrics: &Metrics) -> Self {
        match &config.redis {
            Some(address) => {
                Self::over(Redis::sealed(address, metrics.clone(), Seal::of(config)), config, store, metrics)
            }
            None => Self::without_redis(config, store, metrics),
        }
    }

    fn without_redis(config: &Config, store: &Store, metrics: &Metrics) -> Self {
        let hub = Hub::default();
        let mut tasks = JoinSet::new();
        let alone = is_alone(config);
        let cache = Cache::new(if alone { RemoteChanges::None } else { RemoteChanges::Unheard }, metrics);
        if !alone {
            let (_, never_linked) = watch::channel(false);
            tasks.spawn(revocations::run(store.clone(), hub.clone(), cache.clone(), never_linked.clone()));
            tasks.spawn(poll::run(store.clone(), hub.clone(), never_linked, Arc::default()));
        }
        Self {
            cache,
            sample_limiter: Arc::new(Limiter::new(config.samples, Sharing::Alone)),
            request_limiter: Arc::new(Limiter::new(config.requests, Sharing::Alone)),
            replicas: Replicas { redis: None, _tasks: tasks },
            hub,
        }
    }

    fn over(redis: Redis, config: &Config, store: &Store, metrics: &Metrics) -> Self {
        let mut tasks = JoinSet::new();
        let (outbox, outgoing) = Outbox::new(metrics.clone());
        let (changes, publisher) = Publisher::new(redis.clone(), metrics.clone());
        let linked = watch::Sender::new(false);
        let hub = Hub::linked(RemoteLink {
            outbox: outbox.clone(),
            dirty: DirtySessions::default(),
            connected: linked.subscribe(),
        });
        let look: Arc<DirtySessions> = Arc::default();
        let cache = Cache::new(RemoteChanges::Heard(redis.clone(), linked.subscribe()), metrics);
        let sample_limiter = Arc::new(Limiter::new(config.samples, Sharing::Shared));
        let request_limiter = Arc::new(Limiter::new(config.requests, Sharing::Shared));
        tasks.spawn(redis.clone().probe());
        tasks.spawn(publisher.run(outgoing));
        tasks.spawn(poll::run(store.clone(), hub.clone(), linked.subscribe(), Arc::clone(&look)));
        tasks.spawn(revocations::run(store.clone(), hub.clone(), cache.clone(), linked.subscribe()));
        tasks.spawn(share_limits(redis.clone(), "samples", Arc::clone(&sample_limiter)));
        tasks.spawn(share_limits(redis.clone(), "requests", Arc::clone(&request_limiter)));
        let state = LinkState { connected: linked, look, metrics: metrics.clone() };
        let bridge = Bridge { redis: redis.clone(), hub: hub.clone(), cache: cache.clone(), state };
        tasks.spawn(bridge.run());
        Self {
            hub,
            cache,
            sample_limiter,
            request_limiter,
            replicas: Replicas { redis: Some(Link { redis, outbox, changes }), _tasks: tasks },
        }
    }
}

impl Replicas {
    /// Tells the others of a change: now, or as soon as Redis is back.
    pub(crate) async fn publish_change(&self, notice: ChangeNotice) {
        if let Some(Link { changes, .. }) = &self.redis {
            changes.publish(notice).await;
        }
    }

    /// Lets committed batches leave, for those who watch elsewhere. Only briefly, as the store has them anyway.
    pub async fn flush(&self) {
        if let Some(Link { outbox, .. }) = &self.redis {
            let _ = tokio::time::timeout(FLUSH_TIMEOUT, outbox.flush()).await;
        }
    }

    /// Whether a relay says in Redis that someone is connected to the session.
    pub async fn is_anyone_connected(&self, id: SessionId) -> bool {
        match &self.redis {
            Some(Link { redis, .. }) => redis.is_anyone_connected(id).await.unwrap_or(false),
            None => false,
        }
    }

    /// Recent batches of a source that follow the seq `after` without a gap; none if the store must be read.
    pub async fn recent(&self, id: SessionId, source: &SourceName, after: u64) -> Vec<CommittedBatch> {
        match &self.redis {
            Some(Link { redis, .. }) => redis.recent(id, source, after).await,
            None => Vec::new(),
        }
    }
}

/// Whether no other relay can use the database.
fn is_alone(config: &Config) -> bool {
    config.database_url.starts_with("sqlite:")
}
