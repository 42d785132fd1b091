//! Group commit: what gathered while the last commit ran is committed together.
//!
//! A session's samples all take the same lane, so they are committed in the order in which they came. Nothing is
//! answered before its commit, nothing is given up while the process lives, and the queues are bounded: when the store
//! is slow or down, connections wait in [`Batcher::submit`] and so stop reading, and the samples stay where they are
//! safe, with their clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mien_shared::SessionId;
use mien_shared::api::SourceName;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc, oneshot};

use super::answers::Mailbox;
use super::lane::{Job, Lane};
use super::source::{ConnectedSource, Submission};
use crate::live::LiveSession;
use crate::observe::metrics::Metrics;
use crate::store::{SourceKey, Store};

/// Batches that may wait for the store, in all lanes together. With the largest messages these are some 20 MB.
const QUEUE_CAPACITY: usize = 256;

/// The way to the store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Batcher {
    lanes: Arc<[LaneQueue]>,
    /// Lanes whose commits fail at the moment.
    failing: Arc<AtomicUsize>,
    metrics: Metrics,
}

/// Whether a caller had to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backpressure {
    None,
    /// The queue was full.
    Waited,
}

impl Batcher {
    /// Starts the lanes; each ends when the last handle is gone and all is committed.
    pub fn start(store: &Store, metrics: &Metrics, rows: usize, interval: Duration) -> Self {
        let failing = Arc::<AtomicUsize>::default();
        let count = store.lanes();
        let start = |_| {
            let (jobs, inbox) = mpsc::channel(QUEUE_CAPACITY / count);
            let commit_now = Arc::<Notify>::default();
            let lane = Lane::new(
                store.clone(),
                metrics.clone(),
                rows,
                interval,
                Arc::clone(&commit_now),
                Arc::clone(&failing),
            );
            tokio::spawn(lane.run(inbox));
            LaneQueue { jobs, commit_now }
        };
        let lanes = (0..count).map(start).collect();
        Self { lanes, failing, metrics: metrics.clone() }
    }

    /// Queues a batch; waits while the lane's queue is full. If the caller stops waiting, nothing was taken.
    pub async fn submit(&self, submission: Submission) -> Backpressure {
        let lane = &self.lanes[submission.source.lane];
        // The task outlives every handle, so the queue is open.
        let backpressure = lane.send(Job::Batch(submission)).await.unwrap_or(Backpressure::None);
        self.metrics.batch_queue.inc();
        backpressure
    }

    /// A source that is about to submit batches.
    pub fn source(&self, live: Arc<LiveSession>, name: SourceName, key: SourceKey) -> ConnectedSource {
        let lane = self.lane(live.id());
        ConnectedSource { live, name, key, lane, answers: Mailbox::default() }
    }

    fn lane(&self, session: SessionId) -> usize {
        // The low bits of an id are random.
        session.0.as_u128() as usize % self.lanes.len()
    }

    /// Whether commits fail at the moment.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed) > 0
    }

    /// Returns once everything that was submitted for a session before is committed.
    pub async fn flush(&self, session: SessionId) {
        self.lanes[self.lane(session)].flush().await;
    }

    /// Returns once everything submitted before is committed.
    pub async fn flush_all(&self) {
        futures_util::future::join_all(self.lanes.iter().map(LaneQueue::flush)).await;
    }
}

/// The sending end of a lane's queue.
#[derive(Debug)]
struct LaneQueue {
    jobs: mpsc::Sender<Job>,
    /// Wakes a lane that lets jobs gather.
    commit_now: Arc<Notify>,
}

/// The lane has ended, which it does only with its last handle.
struct LaneClosed;

impl LaneQueue {
    /// Waits while the queue is full.
    async fn send(&self, job: Job) -> Result<Backpressure, LaneClosed> {
        match self.jobs.try_send(job) {
            Ok(()) => Ok(Backpressure::None),
            Err(TrySendError::Full(job)) => {
                self.commit_now.notify_one();
                self.jobs.send(job).await.map(|()| Backpressure::Waited).map_err(|_| LaneClosed)
            }
            Err(TrySendError::Closed(_)) => Err(LaneClosed),
        }
    }

    async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if self.send(Job::Flush(done)).await.is_ok() {
            self.commit_now.notify_one();
            let _ = wait.await;
        }
    }
}
