//! What is sent to Redis after the fact: committed batches, and what happened to sessions.
//!
//! One task, one bounded queue, one pipeline at a time, so everything leaves in the order in which it came. When Redis
//! is slow or away, batches are dropped and counted: they are in the store, and relays that miss them look there.

use std::collections::HashMap;
use std::sync::Arc;

use mien_shared::SessionId;
use mien_shared::api::SourceName;
use redis::Pipeline;
use tokio::sync::mpsc;

use super::client::{Away, Redis};
use super::keys::{gone_key, samples_channel, window_key};
use super::message::write_batch;
use super::pending_changes::PendingChanges;
use super::scripts::SHARE;
use super::seal::Seal;
use super::sessions::ChangeNotice;
use super::window::{LIFE_SECONDS, MAX_ENTRIES};
use crate::live::{CommittedBatch, OUTBOX_CAPACITY, Outgoing};
use crate::observe::metrics::Metrics;

/// Publishes changes of sessions. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct ChangePublisher {
    redis: Redis,
    pending: Arc<PendingChanges>,
    metrics: Metrics,
}

impl ChangePublisher {
    /// Publishes a change now, or as soon as Redis is back. Changes and batches take no room from each other.
    pub(crate) async fn publish(&self, notice: ChangeNotice) {
        if self.redis.publish_change(&notice).await.is_err() && !self.pending.push(notice) {
            self.metrics.redis_dropped.inc();
        }
    }
}

/// The task that empties the hub's outbox.
pub(crate) struct Publisher {
    redis: Redis,
    metrics: Metrics,
    pending: Arc<PendingChanges>,
}

impl Publisher {
    pub(crate) fn new(redis: Redis, metrics: Metrics) -> (ChangePublisher, Self) {
        let pending = Arc::<PendingChanges>::default();
        let changes =
            ChangePublisher { redis: redis.clone(), pending: Arc::clone(&pending), metrics: metrics.clone() };
        (changes, Self { redis, metrics, pending })
    }

    /// Ends when the last sender of the outbox is gone.
    pub(crate) async fn run(self, mut inbox: mpsc::Receiver<Outgoing>) {
        let mut queued = Vec::new();
        loop {
            tokio::select! {
                came = inbox.recv_many(&mut queued, OUTBOX_CAPACITY) => if came == 0 {
                    return;
                },
                () = self.pending.due() => {}
            }
            self.metrics.redis_queue.dec_by(queued.len() as i64);
            self.send(queued.drain(..)).await;
        }
    }

    async fn send(&self, queued: impl Iterator<Item = Outgoing>) {
        let mut batches: HashMap<(SessionId, SourceName), Vec<CommittedBatch>> = HashMap::new();
        let mut count = 0;
        let mut flushes = Vec::new();
        for outgoing in queued {
            match outgoing {
                Outgoing::Flush(done) => flushes.push(done),
                Outgoing::Batch { session, source, batch } => {
                    count += 1;
                    batches.entry((session, source)).or_default().push(batch);
                }
            }
        }
        let mut pipeline = redis::pipe();
        let changes = self.pending.take();
        for change in &changes {
            change.add_to(&mut pipeline, self.redis.seal());
        }
        for ((session, source), batches) in &batches {
            add_samples(&mut pipeline, self.redis.seal(), *session, source, batches);
        }
        if !pipeline.is_empty()
            && let Err(Away) = self.redis.patient::<()>(&pipeline).await
        {
            self.metrics.redis_dropped.inc_by(count);
            self.pending.put_back(changes);
        }
        for done in flushes {
            // The caller may have stopped waiting.
            let _ = done.send(());
        }
    }
}

fn add_samples(
    pipeline: &mut Pipeline,
    seal: &Seal,
    session: SessionId,
    source: &SourceName,
    batches: &[CommittedBatch],
) {
    let channel = samples_channel(session);
    let mut call = SHARE
        .call(&[gone_key(session), window_key(session, source)])
        .arg(&channel)
        .arg(LIFE_SECONDS)
        .arg(MAX_ENTRIES);
    for batch in batches {
        call = call.arg(batch.through).arg(seal.close(&channel, &write_batch(source, batch)));
    }
    pipeline.add_command(call.command()).ignore();
}
