//! What the other replicas say, and what they are told at once: channels, presence and claims.
//!
//! One task over one connection that carries both the channels and its own calls. A session's channels are
//! heard while someone is connected to it here. When the connection breaks, or messages came faster than they
//! were read, nothing is guessed: caches are emptied, and watched sessions are read from the store.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mien_shared::SessionId;
use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind, RedisError, RedisResult, Value};
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::message::{
    ALL, Notice, SAMPLES, claim_key, live_channel, presence_key, read_piece, samples_channel,
};
use super::scripts::{CLAIM, PRESENT};
use super::{Redis, pool};
use crate::live::remote::{Marks, Unannounced};
use crate::live::{Hub, Live, Presence, SILENCE};
use crate::replicas::cache::Cache;

/// Messages that were heard and not yet read. Full means that the store is read instead.
const INBOX: usize = 4_096;
/// How often presence is repeated; also how soon a dead connection is noticed.
const BEAT: Duration = Duration::from_secs(5);
/// Between attempts to connect.
const RETRY: Duration = Duration::from_millis(250);
/// Life of a claim's place: longer than any connection is silent.
const CLAIM_SECONDS: u64 = 24 * 60 * 60;
/// Sessions of one round trip.
const CHUNK: usize = 256;

/// This replica's ear and voice.
#[derive(Debug)]
pub struct Bridge {
    pub(crate) redis: Redis,
    pub(crate) hub: Hub,
    pub(crate) cache: Cache,
    /// Whether everything that others say is heard.
    pub(crate) linked: watch::Sender<bool>,
    /// Watched sessions that must be read from the store.
    pub(crate) look: Arc<Marks>,
}

impl Bridge {
    /// Runs for ever.
    pub async fn run(self) {
        let replica = Uuid::now_v7();
        loop {
            if let Some(link) = self.hub.link() {
                // All sessions are attended to once connected.
                link.changed.take_now();
            }
            let cause = match Line::open(&self.redis).await {
                Ok(line) => self.talk(line, replica).await,
                Err(cause) => cause,
            };
            if *self.linked.borrow() {
                tracing::warn!(%cause, "the other relays are not heard; reading the store instead");
            }
            self.set_linked(false);
            self.redis.doubt();
            self.cache.forget_all();
            for live in self.hub.all() {
                live.prune();
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Ends with the connection.
    async fn talk(&self, line: Line, replica: Uuid) -> RedisError {
        let mut talk = Talk { bridge: self, line, replica, heard: HashMap::new() };
        match talk.run().await {
            Ok(never) => match never {},
            Err(cause) => cause,
        }
    }

    /// Says whether the others are heard. Whoever watches is looked at whenever that changes.
    fn set_linked(&self, linked: bool) {
        self.redis.0.metrics.redis_linked.set(linked.into());
        self.linked.send_if_modified(|was| std::mem::replace(was, linked) != linked);
    }

    fn look_at_all(&self) {
        for live in self.hub.all() {
            if live.is_watched() {
                self.look.mark(live.id());
            }
        }
    }
}

/// A connection with its channels.
struct Line {
    connection: MultiplexedConnection,
    inbox: mpsc::Receiver<PushInfo>,
    /// Something was said and not kept.
    missed: Arc<AtomicBool>,
}

impl Line {
    async fn open(redis: &Redis) -> RedisResult<Self> {
        let (sender, inbox) = mpsc::channel(INBOX);
        let missed = Arc::new(AtomicBool::new(false));
        let note = Arc::clone(&missed);
        let config = pool::timeouts().set_push_sender(move |push: PushInfo| {
            if sender.try_send(push).is_err() {
                note.store(true, Ordering::Relaxed);
            }
            Ok::<(), ()>(())
        });
        let mut connection = pool::dial(redis.0.pool.client(), &config).await?;
        connection.subscribe(ALL).await?;
        Ok(Self { connection, inbox, missed })
    }
}

/// Whether what the others say may be heard.
pub(super) async fn try_to_hear(redis: &Redis) -> RedisResult<()> {
    Line::open(redis).await.map(drop)
}

struct Talk<'a> {
    bridge: &'a Bridge,
    line: Line,
    replica: Uuid,
    /// Sessions whose channels are heard.
    heard: HashMap<SessionId, Heard>,
}

/// What is known of a session that is heard.
#[derive(Default)]
struct Heard {
    /// Whether its channel is heard; not, for a moment, while the last who was connected is told of as gone.
    notices: bool,
    /// Whether its samples are heard too.
    samples: bool,
    /// What the others were told.
    told: Presence,
}

impl Talk<'_> {
    async fn run(&mut self) -> RedisResult<std::convert::Infallible> {
        self.attend_anew().await?;
        let mut here = self.bridge.redis.here();
        self.bridge.set_linked(*here.borrow_and_update());
        tracing::info!("the other relays are heard");
        let mut beat = tokio::time::interval_at(tokio::time::Instant::now() + BEAT, BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                push = self.line.inbox.recv() => self.hear(push).await?,
                ids = changed(&self.bridge.hub) => {
                    let ids: Vec<SessionId> = ids.into_iter().collect();
                    self.attend(&ids, Order::Newest).await?;
                }
                _ = beat.tick() => self.repeat().await?,
                // A Redis that stands still says nothing on this connection either.
                Ok(()) = here.changed() => self.bridge.set_linked(*here.borrow_and_update()),
            }
            if self.line.missed.swap(false, Ordering::Relaxed) {
                self.bridge.cache.forget_all();
                self.bridge.look_at_all();
                self.attend_anew().await?;
            }
        }
    }

    /// As if nothing had been heard: the others may have claimed what is held here, or forgotten who holds it.
    async fn attend_anew(&mut self) -> RedisResult<()> {
        let all = self.bridge.hub.all();
        for live in &all {
            live.forget_announcements();
        }
        let ids: Vec<SessionId> = all.iter().map(|live| live.id()).collect();
        drop(all);
        self.attend(&ids, Order::AsMade).await
    }

    async fn hear(&self, push: Option<PushInfo>) -> RedisResult<()> {
        let Some(PushInfo { kind, data }) = push else { return Err(gone()) };
        match (kind, data.as_slice()) {
            (PushKind::Disconnection, _) => Err(gone()),
            (PushKind::Message, [Value::BulkString(channel), Value::BulkString(message)]) => {
                if let Some(id) = channel.strip_prefix(SAMPLES.as_bytes()) {
                    self.hear_samples(id, message);
                } else if channel == ALL.as_bytes() {
                    let text = self.bridge.redis.seal().open(ALL, message);
                    if let Some(Ok(notice)) = text.map(serde_json::from_slice) {
                        self.heed(notice).await;
                    }
                } else if let Ok(notice) = serde_json::from_slice(message)
                    && !matches!(notice, Notice::Changed { .. })
                {
                    self.heed(notice).await;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn hear_samples(&self, id: &[u8], message: &[u8]) {
        let Some(id) = std::str::from_utf8(id).ok().and_then(|id| id.parse().ok()) else { return };
        if let Some(live) = self.bridge.hub.find(id)
            && let Some(text) = self.bridge.redis.seal().open(&samples_channel(id), message)
            && let Some((source, piece)) = read_piece(text)
        {
            live.receive(source, piece);
        }
    }

    async fn heed(&self, notice: Notice) {
        let hub = &self.bridge.hub;
        match notice {
            Notice::Changed { session, change } => {
                self.bridge.cache.forget(session).await;
                hub.ended(session, &change);
            }
            Notice::Present { session, replica, presence } => {
                if let Some(live) = hub.find(session)
                    && replica != self.replica
                {
                    live.present_there(replica, presence);
                }
            }
            Notice::Claimed { session, source, at } => {
                if let Some(live) = hub.find(session) {
                    live.claimed(&source, at);
                }
            }
        }
    }

    /// Hears what is to be heard of these sessions, and tells who is connected and who claimed what.
    async fn attend(&mut self, ids: &[SessionId], order: Order) -> RedisResult<()> {
        for ids in ids.chunks(CHUNK) {
            self.tune(ids).await?;
            self.tell(ids, order).await?;
        }
        Ok(())
    }

    /// Subscribes and unsubscribes.
    async fn tune(&mut self, ids: &[SessionId]) -> RedisResult<()> {
        let (mut on, mut off) = (Vec::new(), Vec::new());
        for &id in ids {
            let live = self.bridge.hub.find(id);
            let samples = live.as_ref().is_some_and(|live| live.is_watched());
            match (self.heard.get_mut(&id), live.is_some()) {
                (None, true) => {
                    on.push(live_channel(id));
                    if samples {
                        on.push(samples_channel(id));
                    }
                    self.heard.insert(id, Heard { notices: true, samples, told: Presence::default() });
                }
                (Some(heard), true) => {
                    if !std::mem::replace(&mut heard.notices, true) {
                        on.push(live_channel(id));
                    }
                    if std::mem::replace(&mut heard.samples, samples) != samples {
                        if samples { &mut on } else { &mut off }.push(samples_channel(id));
                    }
                }
                (Some(heard), false) => {
                    if std::mem::replace(&mut heard.notices, false) {
                        off.push(live_channel(id));
                    }
                    if std::mem::replace(&mut heard.samples, false) {
                        off.push(samples_channel(id));
                    }
                }
                (None, false) => {}
            }
        }
        if !off.is_empty() {
            self.line.connection.unsubscribe(&off).await?;
        }
        if !on.is_empty() {
            self.line.connection.subscribe(&on).await?;
            // What was committed before this was not heard.
            for &id in ids {
                if self.heard.get(&id).is_some_and(|heard| heard.samples) {
                    self.bridge.look.mark(id);
                }
            }
        }
        Ok(())
    }

    /// Tells who is connected here, learns who is elsewhere, and announces claims.
    async fn tell(&mut self, ids: &[SessionId], order: Order) -> RedisResult<()> {
        let mut pipeline = redis::pipe();
        let mut present = Vec::new();
        let mut claims: Vec<(Arc<Live>, Unannounced)> = Vec::new();
        for &id in ids {
            let live = self.bridge.hub.find(id);
            let here = live.as_ref().map(|live| live.presence_here()).unwrap_or_default();
            let Some(heard) = self.heard.get_mut(&id) else { continue };
            let is_news = heard.told != here;
            let notice = if is_news {
                Notice::Present { session: id, replica: self.replica, presence: here.clone() }.to_json()
            } else {
                String::new()
            };
            let said = if here.is_empty() { String::new() } else { write_presence(&here) };
            let call = PRESENT
                .call(&[presence_key(id)])
                .arg(self.replica.to_string())
                .arg(said)
                .arg(u64::try_from(SILENCE.as_millis()).unwrap_or(u64::MAX))
                .arg(live_channel(id))
                .arg(notice);
            pipeline.add_command(call.command());
            heard.told = here;
            if let Some(live) = live {
                claims.extend(live.unannounced().into_iter().map(|claim| (Arc::clone(&live), claim)));
                present.push(Some(live));
            } else {
                self.heard.remove(&id);
                present.push(None);
            }
        }
        for (live, claim) in &claims {
            let call = CLAIM
                .call(&[claim_key(live.id(), &claim.source)])
                .arg(CLAIM_SECONDS)
                .arg(live_channel(live.id()))
                .arg(live.id().to_string())
                .arg(claim.source.as_str())
                .arg(claim.at)
                .arg(u8::from(order == Order::Newest));
            pipeline.add_command(call.command());
        }
        if pipeline.is_empty() {
            return Ok(());
        }
        let answers: Vec<Value> = pipeline.query_async(&mut self.line.connection).await?;
        let mut answers = answers.into_iter();
        for (live, answer) in present.into_iter().zip(answers.by_ref()) {
            if let Some(live) = live {
                live.present_elsewhere(read_others(answer)?);
            }
        }
        for ((live, claim), answer) in claims.iter().zip(answers) {
            let (at, top): (u64, u64) = redis::from_redis_value(answer)?;
            live.announced(claim, at, top);
        }
        Ok(())
    }

    /// Repeats who is connected, and forgets replicas that no longer do.
    async fn repeat(&mut self) -> RedisResult<()> {
        let mut ids: HashSet<SessionId> = self.heard.keys().copied().collect();
        for live in self.bridge.hub.all() {
            live.prune();
            ids.insert(live.id());
        }
        if ids.is_empty() {
            // Also a sign of life.
            return redis::cmd("PING").exec_async(&mut self.line.connection).await;
        }
        let ids: Vec<SessionId> = ids.into_iter().collect();
        self.attend(&ids, Order::Newest).await
    }
}

/// How claims stand to those that others made meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// They were made just now: newer than all others.
    Newest,
    /// They were made while nobody heard: their times decide.
    AsMade,
}

async fn changed(hub: &Hub) -> HashSet<SessionId> {
    match hub.link() {
        Some(link) => link.changed.take().await,
        None => std::future::pending().await,
    }
}

fn gone() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::ConnectionAborted).into()
}

fn write_presence(presence: &Presence) -> String {
    serde_json::to_string(presence).expect("presence is plain JSON")
}

/// Replica, presence, replica, presence, … What another version wrote and this one cannot read counts as nobody.
fn read_others(answer: Value) -> RedisResult<BTreeMap<Uuid, Presence>> {
    let flat: Vec<String> = redis::from_redis_value(answer)?;
    let others = flat
        .chunks_exact(2)
        .filter_map(|pair| Some((pair[0].parse().ok()?, serde_json::from_str(&pair[1]).ok()?)));
    Ok(others.collect())
}
