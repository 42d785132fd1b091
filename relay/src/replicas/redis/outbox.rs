//! What goes out to Redis after the fact: committed batches, and what became of sessions.
//!
//! One task, one bounded queue, one pipeline at a time, so everything leaves in the order in which it came.
//! When Redis is slow or away, batches are dropped and counted: they are in the store, and replicas that miss
//! them look there. Changes of sessions are few and are kept until they have left.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mien_shared::SessionId;
use mien_shared::api::SourceName;
use redis::Pipeline;
use tokio::sync::{Notify, mpsc, oneshot};

use super::message::{gone_key, samples_channel, window_key, write_piece};
use super::scripts::SHARE;
use super::sessions::Tell;
use super::window::{LIFE_SECONDS, MAX_ENTRIES};
use super::{Away, Redis, Seal};
use crate::live::Piece;
use crate::observe::metrics::Metrics;

/// Batches that wait. With the largest messages these are some 60 MB, with usual ones half a megabyte.
const QUEUE: usize = 512;
/// Changes that are kept while Redis is away; more than people make in an outage.
const MAX_OWED: usize = 10_000;
/// Until a kept change is tried again.
const RETRY: Duration = Duration::from_millis(250);

/// The way out. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbox {
    jobs: mpsc::Sender<Job>,
    owed: Arc<Owed>,
    metrics: Metrics,
}

#[derive(Debug)]
enum Job {
    Samples {
        session: SessionId,
        source: SourceName,
        piece: Piece,
    },
    /// Answered once everything before it was tried.
    Flush(oneshot::Sender<()>),
}

impl Outbox {
    /// The way out and the task behind it, which ends when the last handle is gone.
    pub fn new(redis: Redis, metrics: Metrics) -> (Self, impl Future<Output = ()> + Send) {
        let (jobs, inbox) = mpsc::channel(QUEUE);
        let owed = Arc::<Owed>::default();
        let post = Post { redis, metrics: metrics.clone(), owed: Arc::clone(&owed) };
        (Self { jobs, owed, metrics }, post.run(inbox))
    }

    /// Hands out a committed batch, or drops it where there is no room. Never waits.
    pub fn offer(&self, session: SessionId, source: SourceName, piece: Piece) {
        match self.jobs.try_send(Job::Samples { session, source, piece }) {
            Ok(()) => _ = self.metrics.redis_queue.inc(),
            Err(_) => _ = self.metrics.redis_dropped.inc(),
        }
    }

    /// Hands out a change that could not be told at once. It takes no room from batches, nor they from it.
    pub fn owe(&self, tell: Tell) {
        if !self.owed.push(tell) {
            self.metrics.redis_dropped.inc();
        }
    }

    /// Returns once everything handed out before has left or was dropped.
    pub async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if self.jobs.send(Job::Flush(done)).await.is_ok() {
            self.metrics.redis_queue.inc();
            let _ = wait.await;
        }
    }
}

/// Changes that are yet to be told.
#[derive(Debug, Default)]
struct Owed {
    tells: Mutex<Vec<Tell>>,
    first: Notify,
}

impl Owed {
    /// False where there is no room.
    fn push(&self, tell: Tell) -> bool {
        let mut tells = self.lock();
        if tells.len() >= MAX_OWED {
            return false;
        }
        tells.push(tell);
        self.first.notify_one();
        true
    }

    /// What there is, oldest first.
    fn take(&self) -> Vec<Tell> {
        std::mem::take(&mut *self.lock())
    }

    /// They could not be told; others may have come meanwhile.
    fn put_back(&self, mut older: Vec<Tell>) {
        let mut tells = self.lock();
        older.append(&mut tells);
        *tells = older;
    }

    /// Returns when there is something to tell: at once for the first, after a pause for what was tried before.
    async fn due(&self) {
        if self.lock().is_empty() {
            self.first.notified().await;
        } else {
            tokio::time::sleep(RETRY).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Tell>> {
        // Each change is one call, so the list is whole whatever panicked.
        self.tells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task's own side.
struct Post {
    redis: Redis,
    metrics: Metrics,
    owed: Arc<Owed>,
}

impl Post {
    async fn run(self, mut inbox: mpsc::Receiver<Job>) {
        let mut jobs = Vec::new();
        loop {
            tokio::select! {
                came = inbox.recv_many(&mut jobs, QUEUE) => if came == 0 {
                    return;
                },
                () = self.owed.due() => {}
            }
            self.metrics.redis_queue.dec_by(jobs.len() as i64);
            self.send(jobs.drain(..)).await;
        }
    }

    async fn send(&self, jobs: impl Iterator<Item = Job>) {
        let mut batches: HashMap<(SessionId, SourceName), Vec<Piece>> = HashMap::new();
        let mut pieces = 0;
        let mut flushes = Vec::new();
        for job in jobs {
            match job {
                Job::Flush(done) => flushes.push(done),
                Job::Samples { session, source, piece } => {
                    pieces += 1;
                    batches.entry((session, source)).or_default().push(piece);
                }
            }
        }
        let mut pipeline = redis::pipe();
        let owed = self.owed.take();
        for tell in &owed {
            tell.add_to(&mut pipeline, self.redis.seal());
        }
        for ((session, source), pieces) in &batches {
            add_samples(&mut pipeline, self.redis.seal(), *session, source, pieces);
        }
        if !pipeline.is_empty()
            && let Err(Away) = self.redis.patient::<()>(&pipeline).await
        {
            self.metrics.redis_dropped.inc_by(pieces);
            self.owed.put_back(owed);
        }
        for done in flushes {
            // Whoever asked may have stopped waiting.
            let _ = done.send(());
        }
    }
}

fn add_samples(
    pipeline: &mut Pipeline,
    seal: &Seal,
    session: SessionId,
    source: &SourceName,
    pieces: &[Piece],
) {
    let channel = samples_channel(session);
    let mut call = SHARE
        .call(&[gone_key(session), window_key(session, source)])
        .arg(&channel)
        .arg(LIFE_SECONDS)
        .arg(MAX_ENTRIES);
    for piece in pieces {
        call = call.arg(piece.through).arg(seal.close(&channel, &write_piece(source, piece)));
    }
    pipeline.add_command(call.command()).ignore();
}
