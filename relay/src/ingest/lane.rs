//! A lane: one task, and one commit at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mien_shared::Code;
use tokio::sync::{Notify, mpsc, oneshot};
use tracing::{Instrument, Span};

use super::answers::{Answer, Committed, Reject};
use super::source::{ConnectedSource, Submission};
use crate::observe::metrics::Metrics;
use crate::store::{Batch, Fate, Outcome, Store, StoreError, Take};

/// Maximum number of messages that a commit links to as its causes, if traces are exported: the first of a burst stand
/// for the rest.
const MAX_LINKS: usize = 32;
/// How often, under load, a lane lets more gather before it commits. A commit costs as much as some hundred of the
/// samples in it, so a busy relay gains from fewer of them.
const MAX_WAITS: u32 = 12;
/// Batches that are worth another wait.
const WORTH_WAITING_FOR: usize = 8;
/// How much less a lane waits if it has little to commit: nobody gains from fewer commits then, and the wait would be
/// most of the time that an ack takes.
const LIGHT_LOAD_DIVISOR: u32 = 4;
/// Pauses between attempts while the store fails.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);
/// How long an attempt may take: this long at first, and twice as long after each that timed out. A store that stalls
/// and recovers has then not blocked the lane for long, and one that is merely slow gets its commits done, as a lane
/// remembers how long it had to wait.
const FIRST_TIMEOUT: Duration = Duration::from_secs(2);
const LONGEST_TIMEOUT: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(super) enum Job {
    Batch(Submission),
    /// Answered once everything before it is committed.
    Flush(oneshot::Sender<()>),
}

/// The task's state.
pub(super) struct Lane {
    store: Store,
    metrics: Metrics,
    /// Samples at which a commit takes no more.
    rows: usize,
    interval: Duration,
    commit_now: Arc<Notify>,
    /// Whether the last commit was of few batches.
    lightly_loaded: bool,
    /// What the next attempt may take.
    timeout: Duration,
    failing: bool,
    failing_lanes: Arc<AtomicUsize>,
}

/// What is committed together.
#[derive(Default)]
struct Group {
    submissions: Vec<Submission>,
    rows: usize,
    flushes: Vec<oneshot::Sender<()>>,
}

impl Lane {
    pub(super) fn new(
        store: Store,
        metrics: Metrics,
        rows: usize,
        interval: Duration,
        commit_now: Arc<Notify>,
        failing_lanes: Arc<AtomicUsize>,
    ) -> Self {
        Self {
            store,
            metrics,
            rows,
            interval,
            commit_now,
            lightly_loaded: true,
            timeout: FIRST_TIMEOUT,
            failing: false,
            failing_lanes,
        }
    }

    /// Ends when the last handle is gone and all is committed.
    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Job>) {
        while let Some(job) = inbox.recv().await {
            let mut group = Group::default();
            self.add(&mut group, job);
            self.gather(&mut group, &mut inbox).await;
            self.lightly_loaded = group.submissions.len() < WORTH_WAITING_FOR;
            self.commit(group).await;
        }
    }

    fn add(&self, group: &mut Group, job: Job) {
        match job {
            Job::Batch(submission) => {
                self.metrics.batch_queue.dec();
                group.rows += submission.items.len();
                group.submissions.push(submission);
            }
            Job::Flush(done) => group.flushes.push(done),
        }
    }

    /// Lets more gather until the commit is full, has waited long enough, or somebody waits for it. It does not wake up
    /// for each batch, which would cost more than the batch.
    ///
    /// It waits once, briefly if there is little to commit, and keeps waiting only while batches come steadily: about
    /// as many in each wait as came while the last commit ran. Clients that wait for their acks send everything at
    /// once, and then nothing is worth waiting for.
    async fn gather(&self, group: &mut Group, inbox: &mut mpsc::Receiver<Job>) {
        self.add_all(group, inbox);
        let wait = if self.lightly_loaded { self.interval / LIGHT_LOAD_DIVISOR } else { self.interval };
        let (mut fewest, mut most) = (group.submissions.len(), 0);
        for _ in 0..MAX_WAITS {
            if group.rows >= self.rows || !group.flushes.is_empty() {
                return;
            }
            let before = group.submissions.len();
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.commit_now.notified() => {}
            }
            self.add_all(group, inbox);
            let came = group.submissions.len() - before;
            (fewest, most) = (fewest.min(came), most.max(came));
            if fewest < WORTH_WAITING_FOR || fewest * 4 < most {
                return;
            }
        }
    }

    fn add_all(&self, group: &mut Group, inbox: &mut mpsc::Receiver<Job>) {
        while group.rows < self.rows
            && let Ok(job) = inbox.try_recv()
        {
            self.add(group, job);
        }
    }

    async fn commit(&mut self, group: Group) {
        let Group { submissions, rows, flushes } = group;
        if !submissions.is_empty() {
            let (batches, waiters): (Vec<Batch>, Vec<Waiter>) =
                submissions.into_iter().map(Waiter::split).unzip();
            let span = tracing::debug_span!("commit", rows);
            for waiter in waiters.iter().take(MAX_LINKS) {
                span.follows_from(&waiter.span);
            }
            let outcomes = self.commit_with_retries(&batches).instrument(span).await;
            self.metrics.batch_rows.observe(rows as f64);
            for ((batch, waiter), outcome) in batches.into_iter().zip(waiters).zip(outcomes) {
                self.answer(batch, &waiter.source, &outcome);
            }
        }
        for done in flushes {
            // The caller may have stopped waiting.
            let _ = done.send(());
        }
    }

    /// Commits, however long it takes. If the answer of a commit is lost, its samples are recognised as duplicates the
    /// next time, so trying again is always right.
    async fn commit_with_retries(&mut self, batches: &[Batch]) -> Vec<Outcome> {
        let mut backoff = FIRST_BACKOFF;
        loop {
            let begun = Instant::now();
            let attempt = tokio::time::timeout(self.timeout, self.store.commit(batches));
            match attempt.await.unwrap_or(Err(StoreError::TimedOut)) {
                Ok(outcomes) => {
                    let took = begun.elapsed();
                    self.metrics.batch_commit_seconds.observe(took.as_secs_f64());
                    self.timeout = self.timeout.min((took * 4).max(FIRST_TIMEOUT));
                    self.record_success();
                    return outcomes;
                }
                Err(cause) => {
                    if matches!(cause, StoreError::TimedOut) {
                        self.timeout = (self.timeout * 2).min(LONGEST_TIMEOUT);
                    }
                    self.record_failure(&cause);
                }
            }
            tokio::time::sleep(backoff).await;
            backoff = (backoff * 2).min(LONGEST_BACKOFF);
        }
    }

    fn record_failure(&mut self, cause: &StoreError) {
        self.metrics.count_store_error(cause);
        // Once per outage, not once per attempt or lane.
        if !self.failing && self.failing_lanes.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::error!(%cause, "samples cannot be stored; keeping them and trying again");
        }
        self.failing = true;
    }

    fn record_success(&mut self) {
        if self.failing && self.failing_lanes.fetch_sub(1, Ordering::Relaxed) == 1 {
            tracing::info!("samples are stored again");
        }
        self.failing = false;
    }

    fn answer(&self, batch: Batch, source: &ConnectedSource, outcome: &Outcome) {
        let answer = match outcome {
            Outcome::Taken(take) => {
                let stored: Vec<_> = batch
                    .items
                    .iter()
                    .zip(&take.fates)
                    .filter(|(_, fate)| **fate == Fate::Stored)
                    .filter_map(|(item, _)| item.as_ref().ok())
                    .collect();
                source.live.publish(&source.name, take, &stored);
                if take.fates.contains(&Fate::Duplicate) {
                    // They may be of a commit whose answer was lost, so no watcher heard of them.
                    source.live.learn(&source.name, take.through);
                }
                Answer::Committed(self.count_outcomes(batch, take))
            }
            Outcome::Ended => Answer::Ended,
        };
        // A connection that is gone needs no answer: its client learns `through` from its next welcome.
        source.answers.put(answer);
    }

    /// Counts what became of each sample and collects the rejects.
    fn count_outcomes(&self, batch: Batch, take: &Take) -> Committed {
        let mut counts = [0_u64; 4];
        let mut rejects = Vec::new();
        let samples = batch.items.len();
        for (item, fate) in batch.items.into_iter().zip(&take.fates) {
            counts[*fate as usize] += 1;
            match (fate, item) {
                (Fate::Invalid, Err(refused)) => rejects.push(Reject {
                    seq: refused.seq,
                    code: Code::InvalidSample,
                    detail: refused.detail,
                }),
                (Fate::OutOfOrder, Ok(sample)) => rejects.push(Reject {
                    seq: sample.seq,
                    code: Code::OutOfOrder,
                    detail: format!(
                        "it comes after a later sample; the source is answered for up to {}",
                        take.through
                    ),
                }),
                _ => {}
            }
        }
        let counters = &self.metrics.samples;
        counters.accepted.inc_by(counts[Fate::Stored as usize]);
        counters.duplicate.inc_by(counts[Fate::Duplicate as usize]);
        counters.invalid.inc_by(counts[Fate::Invalid as usize]);
        counters.out_of_order.inc_by(counts[Fate::OutOfOrder as usize]);
        Committed { samples, through: take.through, rejects }
    }
}

/// Who waits for a batch that went to the store.
struct Waiter {
    source: Arc<ConnectedSource>,
    span: Span,
}

impl Waiter {
    fn split(submission: Submission) -> (Batch, Self) {
        let Submission { source, items, span } = submission;
        (Batch { source: source.key, items }, Self { source, span })
    }
}
