//! What is looked up often and changes rarely: each session, and so its owner, whether it has ended, and which of its
//! tokens were revoked.
//!
//! Memory is asked first, then Redis, then the store; concurrent look-ups of one session ask the store once. A change
//! made here takes effect here at once, is written to Redis before its caller is answered, and is sent to the other
//! relays, which drop what they cached. No answer is kept for longer than a minute, or than a second while changes made
//! elsewhere would not be heard.
//!
//! Correctness never relies on it: the store decides at every commit and every read whether a session still exists.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use mien_shared::SessionId;
use moka::Expiry;
use tokio::sync::watch;

use super::redis::client::Redis;
use super::redis::sessions::Kept;
use super::versions::Versions;
use crate::auth::Revoked;
use crate::live::Change;
use crate::observe::metrics::{CacheCounts, Metrics};
use crate::store::deadline::within_deadline;
use crate::store::{Found, Store, StoreError};

/// Sessions in memory: some 5 MB.
const MAX_SESSIONS: u64 = 10_000;
/// Life of an answer while all changes are heard.
const LONG: Duration = Duration::from_mins(1);
/// Life of an answer while they are not.
const SHORT: Duration = Duration::from_secs(1);
/// Life of the answer that no such session exists.
const NEVER: Duration = Duration::from_secs(2);

/// How this relay learns of changes made by others.
#[derive(Clone, Debug)]
pub enum RemoteChanges {
    /// There are none: no other relay uses the store.
    None,
    /// There may be some, and none are heard.
    Unheard,
    /// They are heard through Redis, as long as this is true.
    Heard(Redis, watch::Receiver<bool>),
}

/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Cache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    sessions: moka::future::Cache<SessionId, Entry>,
    versions: Versions,
    remote: RemoteChanges,
    memory: CacheCounts,
    redis: CacheCounts,
}

/// What became of a session, and which of its tokens were revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub found: Found,
    pub revoked: Arc<Revoked>,
}

#[derive(Clone, Debug)]
struct Entry {
    known: Known,
    /// The version when the store was asked.
    as_of: u64,
    life: Duration,
}

struct ByEntry;

impl Expiry<SessionId, Entry> for ByEntry {
    fn expire_after_create(&self, _: &SessionId, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.life)
    }

    fn expire_after_update(
        &self,
        _: &SessionId,
        entry: &Entry,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.life)
    }
}

impl Cache {
    pub fn new(remote: RemoteChanges, metrics: &Metrics) -> Self {
        Self(Arc::new(Inner {
            sessions: moka::future::Cache::builder().max_capacity(MAX_SESSIONS).expire_after(ByEntry).build(),
            versions: Versions::default(),
            remote,
            memory: metrics.memory_cache.clone(),
            redis: metrics.redis_cache.clone(),
        }))
    }

    /// What became of a session.
    pub async fn find(&self, store: &Store, id: SessionId) -> Result<Found, Arc<StoreError>> {
        self.lookup(store, id).await.map(|known| known.found)
    }

    /// The same, and which of its tokens were revoked.
    pub async fn lookup(&self, store: &Store, id: SessionId) -> Result<Known, Arc<StoreError>> {
        self.lookup_with(id, || self.ask(store, id)).await
    }

    async fn lookup_with<A>(&self, id: SessionId, ask: impl Fn() -> A) -> Result<Known, Arc<StoreError>>
    where
        A: Future<Output = Result<Entry, StoreError>>,
    {
        if let Some(entry) = self.0.sessions.get(&id).await
            && self.is_current(id, &entry)
        {
            self.0.memory.hit.inc();
            return Ok(entry.known);
        }
        self.0.memory.miss.inc();
        loop {
            let entry = self.0.sessions.try_get_with(id, ask()).await?;
            if self.is_current(id, &entry) {
                return Ok(entry.known);
            }
            self.0.sessions.invalidate(&id).await;
        }
    }

    /// Whether nothing was changed since the question. Every answer is checked before it is used, as a late one may
    /// come after the change that would have dropped it.
    fn is_current(&self, id: SessionId, entry: &Entry) -> bool {
        entry.as_of >= self.0.versions.last(id)
    }

    async fn ask(&self, store: &Store, id: SessionId) -> Result<Entry, StoreError> {
        let as_of = self.0.versions.now();
        if let RemoteChanges::Heard(redis, _) = &self.0.remote
            && redis.is_here()
        {
            if let Ok(Some(kept)) = redis.read_session(id).await {
                self.0.redis.hit.inc();
                return Ok(self.entry(known(kept), as_of));
            }
            self.0.redis.miss.inc();
            let known = ask_store(store, id).await?;
            share(redis, id, &known);
            return Ok(self.entry(known, as_of));
        }
        Ok(self.entry(ask_store(store, id).await?, as_of))
    }

    fn entry(&self, known: Known, as_of: u64) -> Entry {
        let longest = match &self.0.remote {
            RemoteChanges::None => LONG,
            RemoteChanges::Heard(_, linked) if *linked.borrow() => LONG,
            RemoteChanges::Heard(..) | RemoteChanges::Unheard => SHORT,
        };
        let life = if known.found == Found::Never { NEVER.min(longest) } else { longest };
        Entry { known, as_of, life }
    }

    /// A session was changed here.
    pub async fn changed(&self, id: SessionId, change: &Change) {
        let as_of = self.0.versions.bump(id);
        match change {
            Change::Erased => {
                let known = Known { found: Found::Erased, revoked: Arc::default() };
                self.0.sessions.insert(id, self.entry(known, as_of)).await;
            }
            // Two changes may be reported in a different order from that in which they were made, so the store is asked
            // for the outcome.
            Change::Updated(_) | Change::Revoked(_) => self.0.sessions.invalidate(&id).await,
        }
    }

    /// A session was changed elsewhere.
    pub async fn forget(&self, id: SessionId) {
        self.0.versions.bump(id);
        self.0.sessions.invalidate(&id).await;
    }

    /// Changes made elsewhere may have been missed.
    pub fn forget_all(&self) {
        self.0.versions.bump_all();
        self.0.sessions.invalidate_all();
    }
}

async fn ask_store(store: &Store, id: SessionId) -> Result<Known, StoreError> {
    let found = within_deadline(store.find_session(id)).await?;
    let revoked = match &found {
        Found::Here(_) => shared(within_deadline(store.revoked(id)).await?),
        Found::Erased | Found::Never => Arc::default(),
    };
    Ok(Known { found, revoked })
}

/// Nearly every session has no revoked tokens, so those share one value: an idle connection keeps its session here.
fn shared(revoked: Revoked) -> Arc<Revoked> {
    static NONE: LazyLock<Arc<Revoked>> = LazyLock::new(Arc::default);
    if revoked == **NONE { Arc::clone(&NONE) } else { Arc::new(revoked) }
}

fn known(kept: Kept) -> Known {
    match kept {
        Kept::Here { session, revoked } => Known { found: Found::Here(session), revoked: shared(revoked) },
        Kept::Erased => Known { found: Found::Erased, revoked: Arc::default() },
    }
}

/// Writes the store's answer to Redis. Nobody waits for it; it ends with Redis' timeout.
fn share(redis: &Redis, id: SessionId, known: &Known) {
    let kept = match &known.found {
        Found::Here(session) => {
            Kept::Here { session: session.clone(), revoked: Revoked::clone(&known.revoked) }
        }
        Found::Erased => Kept::Erased,
        Found::Never => return,
    };
    let redis = redis.clone();
    tokio::spawn(async move { redis.fill_session(id, kept).await });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    use futures_util::FutureExt as _;
    use mien_shared::api::PatchSession;

    fn named(title: &str) -> Known {
        let text = format!(
            r#"{{"id":"0195f0a2-7b9e-7c4f-8000-000000000000","user_id":"alice","title":"{title}","purpose":"",
            "status":"active","started_at":"2026-01-01T00:00:00Z","completed_at":null}}"#
        );
        Known { found: Found::Here(serde_json::from_str(&text).unwrap()), revoked: Arc::default() }
    }

    /// An answer that is in flight while `change` happens, and what is found afterwards, when the store says `new`.
    async fn found_after(cache: &Cache, id: SessionId, change: impl AsyncFnOnce()) -> Vec<Known> {
        let (store_answers, answer) = tokio::sync::oneshot::channel();
        let answer = std::sync::Mutex::new(Some(answer));
        let first = cache.lookup_with(id, || {
            let (as_of, answer) = (cache.0.versions.now(), answer.lock().unwrap().take());
            async move {
                let found = match answer {
                    Some(answer) => answer.await.unwrap(),
                    None => named("new"),
                };
                Ok(cache.entry(found, as_of))
            }
        });
        let mut first = Box::pin(first);
        assert!((&mut first).now_or_never().is_none());
        change().await;
        store_answers.send(named("old")).unwrap();
        let mut found = vec![first.await.unwrap()];
        for _ in 0..2 {
            let ask = || async { Ok(cache.entry(named("new"), cache.0.versions.now())) };
            found.push(cache.lookup_with(id, ask).await.unwrap());
        }
        found
    }

    #[tokio::test]
    async fn what_was_asked_before_all_was_forgotten_does_not_stay() {
        let cache = Cache::new(RemoteChanges::None, &Metrics::new());
        let id = SessionId(uuid::Uuid::now_v7());
        let found = found_after(&cache, id, async || cache.forget_all()).await;
        assert_eq!(found, [named("new"), named("new"), named("new")]);
    }

    #[tokio::test]
    async fn what_was_asked_before_a_change_does_not_stay_however_much_else_changes() {
        let cache = Cache::new(RemoteChanges::None, &Metrics::new());
        let id = SessionId(uuid::Uuid::now_v7());
        let others = async || {
            for _ in 0..2 * MAX_SESSIONS {
                cache.forget(SessionId(uuid::Uuid::now_v7())).await;
            }
        };
        let many = async || {
            others().await;
            cache.forget(id).await;
            others().await;
        };
        let found = found_after(&cache, id, many).await;
        assert_eq!(found, [named("new"), named("new"), named("new")]);
    }

    /// Readers that make the cache ask again and again, while the title counts up.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn an_answer_on_its_way_never_hides_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let metrics = Metrics::new();
        let url = format!("sqlite:{}", folder.path().join("mien.db").display());
        let store = Store::open(&url, 8, metrics.pool_wait_seconds.clone()).await.unwrap();
        let session = store.create_session("alice", "0", "").await.unwrap().id;
        let cache = Cache::new(RemoteChanges::None, &metrics);
        let told = Arc::new(AtomicU64::new(0));
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let (cache, store, told) = (cache.clone(), store.clone(), Arc::clone(&told));
                tokio::spawn(async move {
                    loop {
                        let least = told.load(Ordering::Acquire);
                        let Ok(Found::Here(found)) = cache.find(&store, session).await else {
                            panic!("it is there")
                        };
                        let title: u64 = found.title.parse().unwrap();
                        assert!(title >= least, "{title} was read after {least} was told");
                        if title == 100 {
                            return;
                        }
                        cache.forget_all();
                    }
                })
            })
            .collect();
        for n in 1..=100 {
            let patch = PatchSession { title: Some(n.to_string()), status: None };
            let session = store.update_session(session, &patch).await.unwrap().unwrap();
            cache.changed(session.id, &Change::Updated(session)).await;
            told.store(n, Ordering::Release);
        }
        for reader in readers {
            reader.await.unwrap();
        }
    }
}
