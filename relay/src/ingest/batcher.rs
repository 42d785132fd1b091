//! Group commit: what gathered while the last commit ran is committed together.
//!
//! A lane is one task and one commit at a time; a session's samples all take the same lane, so they are
//! committed in the order in which they came. It hands nothing out before the commit, gives nothing up while
//! the process lives, and its queue is bounded: when the store is slow or down, connections wait in
//! [`Batcher::submit`] and so stop reading, and the samples stay where they are safe, with their clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mien_shared::api::SourceName;
use mien_shared::{Code, SessionId};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc, oneshot};
use tracing::{Instrument, Span};

use crate::ingest::answers::Mailbox;
use crate::live::Live;
use crate::observe::metrics::Metrics;
use crate::store::{Batch, Fate, Item, Outcome, SourceKey, Store, StoreError, Take};

/// Batches that wait for the store, in all lanes together. With the largest messages these are some 20 MB.
const QUEUE_BATCHES: usize = 256;
/// Messages that a commit names as its causes, where traces are told: the first of a burst speak for the rest.
const MAX_LINKS: usize = 32;
/// How often a lane lets more gather before it commits, under load. A commit costs as much as some hundred of the
/// samples in it, so a busy relay gains by fewer of them.
const MAX_WAITS: u32 = 12;
/// Batches that are worth another wait.
const WORTH_WAITING: usize = 8;
/// How much less a lane waits that has little to commit: nobody gains by fewer commits then, and the wait would be
/// most of what an ack takes.
const CALM_DIVISOR: u32 = 4;
/// Pauses between attempts while the store fails.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long an attempt may take: at first this long, and twice as long after each that was in vain. A store that
/// stands still and goes on has then not held the lane for long, and one that is merely slow gets its commits
/// done, as a lane remembers how patient it had to be.
const FIRST_PATIENCE: Duration = Duration::from_secs(2);
const LONGEST_PATIENCE: Duration = Duration::from_mins(1);

/// The way to the store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Batcher {
    lanes: Arc<[Entrance]>,
    /// Lanes whose commits fail at the moment.
    failing: Arc<AtomicUsize>,
    metrics: Metrics,
}

/// A connected source: where its batches come from, and where the answers go.
#[derive(Debug)]
pub struct Source {
    live: Arc<Live>,
    name: SourceName,
    key: SourceKey,
    /// Its session's.
    lane: usize,
    answers: Mailbox,
}

impl Source {
    pub fn session(&self) -> SessionId {
        self.live.id()
    }

    pub fn answers(&self) -> &Mailbox {
        &self.answers
    }
}

/// What one message of one connection brought.
#[derive(Debug)]
pub struct Handed {
    pub source: Arc<Source>,
    pub items: Vec<Item>,
    /// From the message to its commit.
    pub span: Span,
}

/// How a batch was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandedIn {
    AtOnce,
    /// The queue was full.
    AfterAWait,
}

/// What became of a batch.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    Committed(Committed),
    /// The session has ended; nothing of the batch was taken.
    Ended,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Committed {
    /// How many there were in the batch.
    pub samples: usize,
    pub through: u64,
    pub rejects: Vec<Reject>,
}

/// One sample that was refused for good.
#[derive(Debug, PartialEq, Eq)]
pub struct Reject {
    pub seq: u64,
    pub code: Code,
    pub detail: String,
}

#[derive(Debug)]
enum Job {
    Batch(Handed),
    /// Answered once everything before it is committed.
    Flush(oneshot::Sender<()>),
}

impl Batcher {
    /// Starts the lanes; each ends when the last handle is gone and all is committed.
    pub fn start(store: &Store, metrics: &Metrics, rows: usize, interval: Duration) -> Self {
        let failing = Arc::<AtomicUsize>::default();
        let count = store.lanes();
        let start = |_| {
            let (jobs, inbox) = mpsc::channel(QUEUE_BATCHES / count);
            let hurry = Arc::<Notify>::default();
            let lane = Lane {
                store: store.clone(),
                metrics: metrics.clone(),
                rows,
                interval,
                hurry: Arc::clone(&hurry),
                calm: true,
                patience: FIRST_PATIENCE,
                fails: false,
                all_failing: Arc::clone(&failing),
            };
            tokio::spawn(lane.run(inbox));
            Entrance { jobs, hurry }
        };
        let lanes = (0..count).map(start).collect();
        Self { lanes, failing, metrics: metrics.clone() }
    }

    /// Hands in a batch; waits while the lane's queue is full. If the caller stops waiting, nothing was taken.
    pub async fn submit(&self, handed: Handed) -> HandedIn {
        let lane = &self.lanes[handed.source.lane];
        // The task outlives every handle, so the queue is open.
        let handed_in = lane.hand_in(Job::Batch(handed)).await.unwrap_or(HandedIn::AtOnce);
        self.metrics.batch_queue.inc();
        handed_in
    }

    /// A source that is about to hand in batches.
    pub fn source(&self, live: Arc<Live>, name: SourceName, key: SourceKey) -> Source {
        let lane = self.lane(live.id());
        Source { live, name, key, lane, answers: Mailbox::default() }
    }

    fn lane(&self, session: SessionId) -> usize {
        // The low bits of an id are random.
        session.0.as_u128() as usize % self.lanes.len()
    }

    /// Whether commits fail at the moment.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed) > 0
    }

    /// Returns once everything that was handed in for a session before is committed.
    pub async fn flush(&self, session: SessionId) {
        self.lanes[self.lane(session)].flush().await;
    }

    /// Returns once everything handed in before is committed.
    pub async fn flush_all(&self) {
        futures_util::future::join_all(self.lanes.iter().map(Entrance::flush)).await;
    }
}

/// Where a lane is handed its jobs.
#[derive(Debug)]
struct Entrance {
    jobs: mpsc::Sender<Job>,
    /// Wakes a lane that lets jobs gather.
    hurry: Arc<Notify>,
}

/// The lane has ended, which it does only with its last handle.
struct NoLane;

impl Entrance {
    /// Waits while the queue is full.
    async fn hand_in(&self, job: Job) -> Result<HandedIn, NoLane> {
        match self.jobs.try_send(job) {
            Ok(()) => Ok(HandedIn::AtOnce),
            Err(TrySendError::Full(job)) => {
                self.hurry.notify_one();
                self.jobs.send(job).await.map(|()| HandedIn::AfterAWait).map_err(|_| NoLane)
            }
            Err(TrySendError::Closed(_)) => Err(NoLane),
        }
    }

    async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if self.hand_in(Job::Flush(done)).await.is_ok() {
            self.hurry.notify_one();
            let _ = wait.await;
        }
    }
}

/// The task's own side.
struct Lane {
    store: Store,
    metrics: Metrics,
    rows: usize,
    interval: Duration,
    hurry: Arc<Notify>,
    /// Whether the last commit was of few batches.
    calm: bool,
    /// What the next attempt may take.
    patience: Duration,
    fails: bool,
    /// Counts the lanes that fail.
    all_failing: Arc<AtomicUsize>,
}

/// What is committed together.
#[derive(Default)]
struct Group {
    handed: Vec<Handed>,
    rows: usize,
    flushes: Vec<oneshot::Sender<()>>,
}

impl Lane {
    async fn run(mut self, mut inbox: mpsc::Receiver<Job>) {
        while let Some(job) = inbox.recv().await {
            let mut group = Group::default();
            self.add(&mut group, job);
            self.gather(&mut group, &mut inbox).await;
            self.calm = group.handed.len() < WORTH_WAITING;
            self.commit(group).await;
        }
    }

    fn add(&self, group: &mut Group, job: Job) {
        match job {
            Job::Batch(handed) => {
                self.metrics.batch_queue.dec();
                group.rows += handed.items.len();
                group.handed.push(handed);
            }
            Job::Flush(done) => group.flushes.push(done),
        }
    }

    /// Lets more gather until the commit is full, has waited for long enough, or somebody waits for it. It does
    /// not wake for each batch that comes, which would cost more than the batch.
    ///
    /// It waits once, shortly where there is little to commit, and goes on only while batches come steadily: about
    /// as many in each wait as came while the last commit ran. Where clients wait for their acks, they come all at
    /// once, and then nothing is worth waiting for.
    async fn gather(&self, group: &mut Group, inbox: &mut mpsc::Receiver<Job>) {
        self.add_all(group, inbox);
        let wait = if self.calm { self.interval / CALM_DIVISOR } else { self.interval };
        let (mut fewest, mut most) = (group.handed.len(), 0);
        for _ in 0..MAX_WAITS {
            if group.rows >= self.rows || !group.flushes.is_empty() {
                return;
            }
            let before = group.handed.len();
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.hurry.notified() => {}
            }
            self.add_all(group, inbox);
            let came = group.handed.len() - before;
            (fewest, most) = (fewest.min(came), most.max(came));
            if fewest < WORTH_WAITING || fewest * 4 < most {
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
        let Group { handed, rows, flushes } = group;
        if !handed.is_empty() {
            let (batches, tickets): (Vec<Batch>, Vec<Ticket>) = handed.into_iter().map(Ticket::split).unzip();
            let span = tracing::debug_span!("commit", rows);
            for ticket in tickets.iter().take(MAX_LINKS) {
                span.follows_from(&ticket.span);
            }
            let outcomes = self.store_surely(&batches).instrument(span).await;
            self.metrics.batch_rows.observe(rows as f64);
            for ((batch, ticket), outcome) in batches.into_iter().zip(tickets).zip(outcomes) {
                self.answer(batch, &ticket.source, &outcome);
            }
        }
        for done in flushes {
            // Whoever asked may have stopped waiting.
            let _ = done.send(());
        }
    }

    /// Commits, however long it takes. What is stored twice by a commit whose answer was lost is known as a
    /// duplicate, so trying again is always right.
    async fn store_surely(&mut self, batches: &[Batch]) -> Vec<Outcome> {
        let mut pause = FIRST_PAUSE;
        loop {
            let begun = Instant::now();
            let attempt = tokio::time::timeout(self.patience, self.store.commit(batches));
            match attempt.await.unwrap_or(Err(StoreError::TimedOut)) {
                Ok(outcomes) => {
                    let took = begun.elapsed();
                    self.metrics.batch_commit_seconds.observe(took.as_secs_f64());
                    self.patience = self.patience.min((took * 4).max(FIRST_PATIENCE));
                    self.note_success();
                    return outcomes;
                }
                Err(cause) => {
                    if matches!(cause, StoreError::TimedOut) {
                        self.patience = (self.patience * 2).min(LONGEST_PATIENCE);
                    }
                    self.note_failure(&cause);
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn note_failure(&mut self, cause: &StoreError) {
        self.metrics.count_store_error(cause);
        // Once an outage, not once an attempt or a lane.
        if !self.fails && self.all_failing.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::error!(%cause, "samples cannot be stored; keeping them and trying again");
        }
        self.fails = true;
    }

    fn note_success(&mut self) {
        if self.fails && self.all_failing.fetch_sub(1, Ordering::Relaxed) == 1 {
            tracing::info!("samples are stored again");
        }
        self.fails = false;
    }

    fn answer(&self, batch: Batch, source: &Source, outcome: &Outcome) {
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
                    // They may be of a commit whose answer was lost, of which no watcher heard.
                    source.live.learn(&source.name, take.through);
                }
                Answer::Committed(self.settle(batch, take))
            }
            Outcome::Ended => Answer::Ended,
        };
        // A connection that is gone needs no answer: its client asks with its next hello.
        source.answers.put(answer);
    }

    /// Counts what became of each sample and collects the refusals.
    fn settle(&self, batch: Batch, take: &Take) -> Committed {
        let mut counts = [0_u64; 4];
        let mut rejects = Vec::new();
        let handed = batch.items.len();
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
        let samples = &self.metrics.samples;
        samples.accepted.inc_by(counts[Fate::Stored as usize]);
        samples.duplicate.inc_by(counts[Fate::Duplicate as usize]);
        samples.invalid.inc_by(counts[Fate::Invalid as usize]);
        samples.out_of_order.inc_by(counts[Fate::OutOfOrder as usize]);
        Committed { samples: handed, through: take.through, rejects }
    }
}

/// What is left of a batch that went to the store: who wants to know.
struct Ticket {
    source: Arc<Source>,
    span: Span,
}

impl Ticket {
    fn split(handed: Handed) -> (Batch, Self) {
        let Handed { source, items, span } = handed;
        (Batch { source: source.key, items }, Self { source, span })
    }
}
