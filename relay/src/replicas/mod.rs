//! What makes several relays over one database work as one: the hub, the caches and the limits of this one,
//! and the tasks that join them with the others, through Redis or by looking at the store.

pub mod cache;
mod poll;
pub mod redis;
mod revocations;

use std::sync::Arc;
use std::time::Duration;

use mien_shared::SessionId;
use mien_shared::api::SourceName;
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::redis::{Bridge, Outbox, Redis, Seal, Tell, share_limits};
use crate::config::Config;
use crate::limits::limiter::{Limiter, Sharing};
use crate::live::remote::{Link, Marks};
use crate::live::{Hub, Piece};
use crate::observe::metrics::Metrics;
use crate::store::Store;
use cache::{Cache, Others};

/// Patience with Redis when the relay ends.
const FAREWELL: Duration = Duration::from_millis(500);

/// The parts that know of other relays.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) hub: Hub,
    pub(crate) cache: Cache,
    pub(crate) sample_limiter: Arc<Limiter>,
    pub(crate) request_limiter: Arc<Limiter>,
    pub(crate) replicas: Replicas,
}

/// The way to the other relays, if there may be any.
#[derive(Debug)]
pub struct Replicas {
    redis: Option<(Redis, Outbox)>,
    /// End with the relay.
    _tasks: JoinSet<()>,
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
        let cache = Cache::new(if alone { Others::None } else { Others::Unheard }, metrics);
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
        let (outbox, post) = Outbox::new(redis.clone(), metrics.clone());
        let linked = watch::Sender::new(false);
        let link = Link { outbox: outbox.clone(), changed: Marks::default(), linked: linked.subscribe() };
        let hub = Hub::linked(link);
        let look: Arc<Marks> = Arc::default();
        let cache = Cache::new(Others::Heard(redis.clone(), linked.subscribe()), metrics);
        let sample_limiter = Arc::new(Limiter::new(config.samples, Sharing::Shared));
        let request_limiter = Arc::new(Limiter::new(config.requests, Sharing::Shared));
        tasks.spawn(redis.clone().probe());
        tasks.spawn(post);
        tasks.spawn(poll::run(store.clone(), hub.clone(), linked.subscribe(), Arc::clone(&look)));
        tasks.spawn(revocations::run(store.clone(), hub.clone(), cache.clone(), linked.subscribe()));
        tasks.spawn(share_limits(redis.clone(), "samples", Arc::clone(&sample_limiter)));
        tasks.spawn(share_limits(redis.clone(), "requests", Arc::clone(&request_limiter)));
        let bridge = Bridge { redis: redis.clone(), hub: hub.clone(), cache: cache.clone(), linked, look };
        tasks.spawn(bridge.run());
        Self {
            hub,
            cache,
            sample_limiter,
            request_limiter,
            replicas: Replicas { redis: Some((redis, outbox)), _tasks: tasks },
        }
    }
}

impl Replicas {
    /// Tells the others of a change: now, or as soon as Redis is back.
    pub async fn tell(&self, tell: Tell) {
        if let Some((redis, outbox)) = &self.redis
            && redis.tell(&tell).await.is_err()
        {
            outbox.owe(tell);
        }
    }

    /// Lets what was committed leave, for those who watch elsewhere; briefly, for the store has it anyway.
    pub async fn farewell(&self) {
        if let Some((_, outbox)) = &self.redis {
            let _ = tokio::time::timeout(FAREWELL, outbox.flush()).await;
        }
    }

    /// Whether a relay says in Redis that someone is connected to the session.
    pub async fn is_anyone_connected(&self, id: SessionId) -> bool {
        match &self.redis {
            Some((redis, _)) => redis.is_anyone_connected(id).await.unwrap_or(false),
            None => false,
        }
    }

    /// Recent batches of a source that follow `place` without a gap; none where the store must be read.
    pub async fn recent(&self, id: SessionId, source: &SourceName, place: u64) -> Vec<Piece> {
        match &self.redis {
            Some((redis, _)) => redis.recent(id, source, place).await,
            None => Vec::new(),
        }
    }
}

/// Whether the database is this process' own.
fn is_alone(config: &Config) -> bool {
    config.database_url.starts_with("sqlite:")
}
