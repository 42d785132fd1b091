//! The conversation with the other relays over one connection: channels, presence and claims.
//!
//! A session's channels are subscribed to while someone is connected to it here. When messages came faster than they
//! were read, nothing is guessed: caches are emptied, and watched sessions are read from the store.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mien_shared::SessionId;
use redis::{PushInfo, PushKind, RedisError, RedisResult, Value};
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::client::Redis;
use super::keys::{ALL, SAMPLES, claim_key, live_channel, presence_key, samples_channel};
use super::link_state::LinkState;
use super::message::{Notice, read_batch};
use super::scripts::{CLAIM, PRESENT};
use super::subscriber::Subscriber;
use crate::live::{Hub, LiveSession, PRESENCE_TIMEOUT, Presence, Unannounced};
use crate::replicas::cache::Cache;

/// How often presence is repeated; also how soon a dead connection is noticed.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Life of a claim's position: longer than any connection stays silent.
const CLAIM_SECONDS: u64 = 24 * 60 * 60;
/// Sessions per round trip.
const CHUNK: usize = 256;

pub(super) struct Exchange<'a> {
    redis: &'a Redis,
    hub: &'a Hub,
    cache: &'a Cache,
    state: &'a LinkState,
    subscriber: Subscriber,
    /// This relay.
    relay: Uuid,
    /// Sessions whose channels are subscribed to.
    sessions: HashMap<SessionId, Subscribed>,
}

/// A session whose channels are subscribed to.
#[derive(Default)]
struct Subscribed {
    /// Whether its channel is subscribed to; briefly not, while the others are told that nobody is left.
    notices: bool,
    /// Whether its samples are, too.
    samples: bool,
    /// What the others were told.
    told: Presence,
}

impl<'a> Exchange<'a> {
    pub(super) fn new(
        redis: &'a Redis,
        hub: &'a Hub,
        cache: &'a Cache,
        state: &'a LinkState,
        subscriber: Subscriber,
        relay: Uuid,
    ) -> Self {
        Self { redis, hub, cache, state, subscriber, relay, sessions: HashMap::new() }
    }

    pub(super) async fn run(&mut self) -> RedisResult<std::convert::Infallible> {
        self.sync_all().await?;
        let mut here = self.redis.here();
        self.state.set_connected(*here.borrow_and_update());
        tracing::info!("connected to the other relays");
        let mut heartbeat = tokio::time::interval_at(tokio::time::Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                push = self.subscriber.inbox.recv() => self.receive(push).await?,
                ids = dirty(self.hub) => {
                    let ids: Vec<SessionId> = ids.into_iter().collect();
                    self.sync(&ids, Order::Newest).await?;
                }
                _ = heartbeat.tick() => self.repeat().await?,
                // A Redis that stalls sends nothing on this connection either.
                Ok(()) = here.changed() => self.state.set_connected(*here.borrow_and_update()),
            }
            if self.subscriber.missed.swap(false, Ordering::Relaxed) {
                self.cache.forget_all();
                self.state.look_at_all(self.hub);
                self.sync_all().await?;
            }
        }
    }

    /// Starts over: the others may have claimed what is held here, or forgotten who holds it.
    async fn sync_all(&mut self) -> RedisResult<()> {
        let all = self.hub.all();
        for live in &all {
            live.forget_announcements();
        }
        let ids: Vec<SessionId> = all.iter().map(|live| live.id()).collect();
        drop(all);
        self.sync(&ids, Order::AsMade).await
    }

    async fn receive(&self, push: Option<PushInfo>) -> RedisResult<()> {
        let Some(PushInfo { kind, data }) = push else { return Err(gone()) };
        match (kind, data.as_slice()) {
            (PushKind::Disconnection, _) => Err(gone()),
            (PushKind::Message, [Value::BulkString(channel), Value::BulkString(message)]) => {
                if let Some(id) = channel.strip_prefix(SAMPLES.as_bytes()) {
                    self.receive_samples(id, message);
                } else if channel == ALL.as_bytes() {
                    let text = self.redis.seal().open(ALL, message);
                    if let Some(Ok(notice)) = text.map(serde_json::from_slice) {
                        self.apply(notice).await;
                    }
                } else if let Ok(notice) = serde_json::from_slice(message)
                    && !matches!(notice, Notice::Changed { .. })
                {
                    self.apply(notice).await;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn receive_samples(&self, id: &[u8], message: &[u8]) {
        let Some(id) = std::str::from_utf8(id).ok().and_then(|id| id.parse().ok()) else { return };
        if let Some(live) = self.hub.find(id)
            && let Some(text) = self.redis.seal().open(&samples_channel(id), message)
            && let Some((source, batch)) = read_batch(text)
        {
            live.receive(source, batch);
        }
    }

    async fn apply(&self, notice: Notice) {
        let hub = self.hub;
        match notice {
            Notice::Changed { session, change } => {
                self.cache.forget(session).await;
                hub.changed(session, &change);
            }
            Notice::Present { session, replica, presence } => {
                if let Some(live) = hub.find(session)
                    && replica != self.relay
                {
                    live.set_remote_presence(replica, presence);
                }
            }
            Notice::Claimed { session, source, at } => {
                if let Some(live) = hub.find(session) {
                    live.claimed_elsewhere(&source, at);
                }
            }
        }
    }

    /// Brings subscriptions, presence and claims of these sessions up to date.
    async fn sync(&mut self, ids: &[SessionId], order: Order) -> RedisResult<()> {
        for ids in ids.chunks(CHUNK) {
            self.update_subscriptions(ids).await?;
            self.announce(ids, order).await?;
        }
        Ok(())
    }

    async fn update_subscriptions(&mut self, ids: &[SessionId]) -> RedisResult<()> {
        let (mut on, mut off) = (Vec::new(), Vec::new());
        for &id in ids {
            let live = self.hub.find(id);
            let samples = live.as_ref().is_some_and(|live| live.is_watched());
            match (self.sessions.get_mut(&id), live.is_some()) {
                (None, true) => {
                    on.push(live_channel(id));
                    if samples {
                        on.push(samples_channel(id));
                    }
                    self.sessions
                        .insert(id, Subscribed { notices: true, samples, told: Presence::default() });
                }
                (Some(known), true) => {
                    if !std::mem::replace(&mut known.notices, true) {
                        on.push(live_channel(id));
                    }
                    if std::mem::replace(&mut known.samples, samples) != samples {
                        if samples { &mut on } else { &mut off }.push(samples_channel(id));
                    }
                }
                (Some(known), false) => {
                    if std::mem::replace(&mut known.notices, false) {
                        off.push(live_channel(id));
                    }
                    if std::mem::replace(&mut known.samples, false) {
                        off.push(samples_channel(id));
                    }
                }
                (None, false) => {}
            }
        }
        if !off.is_empty() {
            self.subscriber.connection.unsubscribe(&off).await?;
        }
        if !on.is_empty() {
            self.subscriber.connection.subscribe(&on).await?;
            // What was committed before was not received.
            for &id in ids {
                if self.sessions.get(&id).is_some_and(|known| known.samples) {
                    self.state.look.mark(id);
                }
            }
        }
        Ok(())
    }

    /// Tells who is connected here, learns who is elsewhere, and announces claims.
    async fn announce(&mut self, ids: &[SessionId], order: Order) -> RedisResult<()> {
        let mut pipeline = redis::pipe();
        let mut present = Vec::new();
        let mut claims: Vec<(Arc<LiveSession>, Unannounced)> = Vec::new();
        for &id in ids {
            let live = self.hub.find(id);
            let here = live.as_ref().map(|live| live.presence_here()).unwrap_or_default();
            let Some(known) = self.sessions.get_mut(&id) else { continue };
            let is_news = known.told != here;
            let notice = if is_news {
                Notice::Present { session: id, replica: self.relay, presence: here.clone() }.to_json()
            } else {
                String::new()
            };
            let said = if here.is_empty() { String::new() } else { write_presence(&here) };
            let call = PRESENT
                .call(&[presence_key(id)])
                .arg(self.relay.to_string())
                .arg(said)
                .arg(u64::try_from(PRESENCE_TIMEOUT.as_millis()).unwrap_or(u64::MAX))
                .arg(live_channel(id))
                .arg(notice);
            pipeline.add_command(call.command());
            known.told = here;
            if let Some(live) = live {
                claims.extend(live.unannounced_claims().into_iter().map(|claim| (Arc::clone(&live), claim)));
                present.push(Some(live));
            } else {
                self.sessions.remove(&id);
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
                .arg(claim.position)
                .arg(u8::from(order == Order::Newest));
            pipeline.add_command(call.command());
        }
        if pipeline.is_empty() {
            return Ok(());
        }
        let answers: Vec<Value> = pipeline.query_async(&mut self.subscriber.connection).await?;
        let mut answers = answers.into_iter();
        for (live, answer) in present.into_iter().zip(answers.by_ref()) {
            if let Some(live) = live {
                live.replace_remote_presence(read_others(answer)?);
            }
        }
        for ((live, claim), answer) in claims.iter().zip(answers) {
            let (at, top): (u64, u64) = redis::from_redis_value(answer)?;
            live.claim_announced(claim, at, top);
        }
        Ok(())
    }

    /// Repeats who is connected, and forgets relays that no longer do so.
    async fn repeat(&mut self) -> RedisResult<()> {
        let mut ids: HashSet<SessionId> = self.sessions.keys().copied().collect();
        for live in self.hub.all() {
            live.expire_remote_presence();
            ids.insert(live.id());
        }
        if ids.is_empty() {
            // Finds out whether the connection is alive.
            return redis::cmd("PING").exec_async(&mut self.subscriber.connection).await;
        }
        let ids: Vec<SessionId> = ids.into_iter().collect();
        self.sync(&ids, Order::Newest).await
    }
}

/// How claims rank against those that others made in the meantime.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// They were made just now: newer than all others.
    Newest,
    /// They were made while nobody listened: their times decide.
    AsMade,
}

async fn dirty(hub: &Hub) -> HashSet<SessionId> {
    match hub.link() {
        Some(link) => link.dirty.take().await,
        None => std::future::pending().await,
    }
}

fn gone() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::ConnectionAborted).into()
}

fn write_presence(presence: &Presence) -> String {
    serde_json::to_string(presence).expect("presence is plain JSON")
}

/// Relay, presence, relay, presence, … What another version wrote and this one cannot read counts as nobody.
fn read_others(answer: Value) -> RedisResult<BTreeMap<Uuid, Presence>> {
    let flat: Vec<String> = redis::from_redis_value(answer)?;
    let others = flat
        .chunks_exact(2)
        .filter_map(|pair| Some((pair[0].parse().ok()?, serde_json::from_str(&pair[1]).ok()?)));
    Ok(others.collect())
}
