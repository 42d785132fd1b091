//! What goes out to Redis after the fact: committed batches, and what became of sessions.
//!
//! One task, one bounded queue, one pipeline at a time, so everything leaves in the order in which it came.
//! When Redis is slow or away, batches are dropped and counted: they are in the store, and replicas that miss
//! them look there. Changes of sessions are few and are kept until they have left.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use mien_shared::SessionId;
use mien_shared::api::SourceName;
use redis::Pipeline;
use tokio::sync::{mpsc, oneshot};

use super::message::{gone_key, samples_channel, window_key, write_piece};
use super::scripts::SHARE;
use super::sessions::{Tell, When};
use super::window::{LIFE_SECONDS, MAX_ENTRIES};
use super::{Away, Redis};
use crate::hub::Piece;
use crate::metrics::Metrics;

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
    metrics: Metrics,
}

#[derive(Debug)]
enum Job {
    Samples {
        session: SessionId,
        source: SourceName,
        piece: Piece,
    },
    Tell(Tell),
    /// Answered once everything before it was tried.
    Flush(oneshot::Sender<()>),
}

impl Outbox {
    /// The way out and the task behind it, which ends when the last handle is gone.
    pub fn new(redis: Redis, metrics: Metrics) -> (Self, impl Future<Output = ()> + Send) {
        let (jobs, inbox) = mpsc::channel(QUEUE);
        let post = Post { redis, metrics: metrics.clone(), owed: VecDeque::new() };
        (Self { jobs, metrics }, post.run(inbox))
    }

    /// Hands out a committed batch, or drops it where there is no room. Never waits.
    pub fn offer(&self, session: SessionId, source: SourceName, piece: Piece) {
        self.put(Job::Samples { session, source, piece });
    }

    /// Hands out a change that could not be told at once.
    pub fn owe(&self, tell: Tell) {
        self.put(Job::Tell(tell));
    }

    /// Returns once everything handed out before has left or was dropped.
    pub async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if self.jobs.send(Job::Flush(done)).await.is_ok() {
            self.metrics.redis_queue.inc();
            let _ = wait.await;
        }
    }

    fn put(&self, job: Job) {
        match self.jobs.try_send(job) {
            Ok(()) => _ = self.metrics.redis_queue.inc(),
            Err(_) => _ = self.metrics.redis_dropped.inc(),
        }
    }
}

/// The task's own side.
struct Post {
    redis: Redis,
    metrics: Metrics,
    owed: VecDeque<Tell>,
}

impl Post {
    async fn run(mut self, mut inbox: mpsc::Receiver<Job>) {
        let mut jobs = Vec::new();
        loop {
            let came = if self.owed.is_empty() {
                inbox.recv_many(&mut jobs, QUEUE).await
            } else {
                // What is owed is tried again even if nothing comes.
                tokio::time::timeout(RETRY, inbox.recv_many(&mut jobs, QUEUE)).await.unwrap_or(1)
            };
            if came == 0 {
                return;
            }
            self.metrics.redis_queue.dec_by(jobs.len() as i64);
            self.send(jobs.drain(..)).await;
        }
    }

    async fn send(&mut self, jobs: impl Iterator<Item = Job>) {
        let mut batches: HashMap<(SessionId, SourceName), Vec<Piece>> = HashMap::new();
        let mut pieces = 0;
        let mut flushes = Vec::new();
        for job in jobs {
            match job {
                Job::Tell(tell) if self.owed.len() < MAX_OWED => self.owed.push_back(tell),
                Job::Tell(_) => _ = self.metrics.redis_dropped.inc(),
                Job::Flush(done) => flushes.push(done),
                Job::Samples { session, source, piece } => {
                    pieces += 1;
                    batches.entry((session, source)).or_default().push(piece);
                }
            }
        }
        let mut pipeline = redis::pipe();
        for owed in &self.owed {
            owed.add_to(&mut pipeline, When::Late);
        }
        for ((session, source), pieces) in &batches {
            add_samples(&mut pipeline, *session, source, pieces);
        }
        if !pipeline.is_empty() {
            match self.redis.patient::<()>(&pipeline).await {
                Ok(()) => self.owed.clear(),
                Err(Away) => _ = self.metrics.redis_dropped.inc_by(pieces),
            }
        }
        for done in flushes {
            // Whoever asked may have stopped waiting.
            let _ = done.send(());
        }
    }
}

fn add_samples(pipeline: &mut Pipeline, session: SessionId, source: &SourceName, pieces: &[Piece]) {
    let mut call = SHARE
        .call(&[gone_key(session), window_key(session, source)])
        .arg(samples_channel(session))
        .arg(LIFE_SECONDS)
        .arg(MAX_ENTRIES);
    for piece in pieces {
        call = call.arg(piece.through).arg(write_piece(source, piece));
    }
    pipeline.add_command(call.command()).ignore();
}
