//! A source that may send: reads, throttles, submits to the batcher, and sends coalesced acks.
//!
//! Nothing is taken that was not paid for, and nothing that was taken is lost: however the connection ends, what it took
//! is committed, answered if the peer still reads, and only then is the lock of the source released.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use mien_shared::Code;
use mien_shared::limits::MAX_ERRORS;
use mien_shared::problem::CloseCode;
use mien_shared::protocol::{IngestReply, MessageFault};
use tokio::time::Instant;
use tracing::Span;

use super::read::{NotSamples, read_samples};
use super::throttle::Throttle;
use crate::app::App;
use crate::ingest::{Answers, Backpressure, ConnectedSource, Reject, Submission};
use crate::socket::coalesce::CoalesceDelay;
use crate::socket::end::End;
use crate::socket::readiness::Timer;
use crate::socket::wire::{Incoming, Wire};
use crate::store::Item;

/// Batches of one connection on their way to the store. A commit takes milliseconds, so this is several times what
/// keeps a fast client busy.
const MAX_IN_FLIGHT: usize = 16;
/// If there are many sources, those that send often are acked ten times a second: each keeps what is not acked, so it
/// misses nothing. One that sends less often is acked as soon as its sample is committed.
const ACK_DELAY: CoalesceDelay =
    CoalesceDelay { per_peer: Duration::from_micros(400), longest: Duration::from_millis(100) };
/// Samples in flight that end the delay: a client that sends this many may be waiting for its ack.
const ACK_AT_ONCE: usize = 4;
/// Time that the store has to commit what was taken when the connection ends. What is not answered by then is still
/// committed, only not acked.
pub(super) const COMMIT_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct Connection<'a> {
    app: &'a App,
    wire: &'a mut Wire,
    span: &'a Span,
    source: Arc<ConnectedSource>,
    user: String,
    throttle: Throttle,
    /// Batches that the batcher has not answered.
    in_flight: usize,
    /// The samples in them.
    samples_in_flight: usize,
    /// Whether answers are left waiting until the timer fires, or many samples are in flight.
    delayed: bool,
    ack_timer: Timer,
    /// When the last ack was sent.
    acked_at: Instant,
    /// What the source has been acked through.
    through: u64,
    /// When the batches arrived that are not acked, in order.
    arrivals: VecDeque<Instant>,
    /// How many of those the next ack covers; if none, no ack is due.
    answered: usize,
    /// Rejects that are yet to be sent.
    replies: VecDeque<IngestReply>,
    errors: u32,
    /// Late samples are paid for afterwards; until then the connection is not read.
    paused_until: Option<Instant>,
}

/// Whether everything that a connection took is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    Wholly,
    Partly,
}

impl<'a> Connection<'a> {
    pub(super) fn new(
        app: &'a App,
        wire: &'a mut Wire,
        span: &'a Span,
        source: Arc<ConnectedSource>,
        user: String,
        through: u64,
        paused_until: Option<Instant>,
    ) -> Self {
        let now = Instant::now();
        Self {
            app,
            ack_timer: wire.ready().timer(now),
            wire,
            span,
            source,
            user,
            throttle: Throttle::new(through),
            in_flight: 0,
            samples_in_flight: 0,
            delayed: false,
            acked_at: now,
            through,
            arrivals: VecDeque::new(),
            answered: 0,
            replies: VecDeque::new(),
            errors: 0,
            paused_until,
        }
    }

    /// Runs until something ends it. It may be dropped at any point where it waits: there it has either taken nothing
    /// or submitted everything to the batcher.
    pub(super) async fn run(&mut self, welcome: IngestReply) -> End {
        match self.exchange(welcome).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn exchange(&mut self, welcome: IngestReply) -> Result<std::convert::Infallible, End> {
        self.wire.send(&welcome).await?;
        loop {
            let may_read = self.in_flight < MAX_IN_FLIGHT && self.paused_until.is_none();
            let delayed = self.delayed && self.samples_in_flight < ACK_AT_ONCE;
            tokio::select! {
                biased;
                // While acks are delayed, answers do not wake the task.
                answers = self.source.answers().take(), if self.in_flight > 0 && !delayed => {
                    if !may_read {
                        self.wire.reset_silence();
                    }
                    self.answer(answers).await?;
                    self.delayed = false;
                    if self.in_flight > 0 {
                        self.delay_ack(self.acked_at);
                    }
                }
                () = std::future::poll_fn(|task| self.ack_timer.poll(task)), if self.in_flight > 0 && delayed => {
                    self.delayed = false;
                }
                incoming = self.wire.next(), if may_read => self.receive(incoming).await?,
                () = until(self.paused_until), if self.paused_until.is_some() => {
                    self.paused_until = None;
                    self.wire.reset_silence();
                }
            }
        }
    }

    /// What was submitted soon after the last ack waits for the timer. A source that sends less often never sets the
    /// timer, which would wake its task for nothing.
    fn delay_ack(&mut self, now: Instant) {
        if self.delayed {
            return;
        }
        let until = self.acked_at + ACK_DELAY.for_peers(u64::try_from(self.app.sources.get()).unwrap_or(0));
        if now < until {
            self.delayed = true;
            self.ack_timer.reset(until);
        }
    }

    async fn receive(&mut self, incoming: Incoming) -> Result<(), End> {
        let (items, other) = read_samples(incoming, self.wire);
        if !items.is_empty() {
            self.take(items).await?;
        }
        match other {
            None => Ok(()),
            // Boxed: it is rare, and should take up no room in a connection that waits.
            Some(NotSamples::Invalid(fault)) => Box::pin(self.send_error(fault)).await,
            Some(NotSamples::End(end)) => Err(end),
        }
    }

    async fn take(&mut self, items: Vec<Item>) -> Result<(), End> {
        let arrived = self.wire.last_heard();
        let passed = self
            .throttle
            .pass(items, &self.app.sample_limiter, &self.user, arrived.into_std())
            .map_err(|_| End::Close(CloseCode::ThrottleIgnored))?;
        if passed.held > 0 {
            self.app.metrics.samples.throttled.inc_by(passed.held);
            self.app.metrics.rate_limited_samples.inc_by(passed.held);
        }
        if !passed.items.is_empty() {
            let count = passed.items.len();
            let span = tracing::debug_span!(parent: self.span, "samples", count);
            let submission = Submission { source: Arc::clone(&self.source), items: passed.items, span };
            if self.app.batcher.submit(submission).await == Backpressure::Waited {
                // The peer may be waiting for its ack.
                self.wire.reset_silence();
            }
            self.arrivals.push_back(arrived);
            self.in_flight += 1;
            self.samples_in_flight += count;
            self.delay_ack(arrived);
        }
        if let Some(notice) = passed.notice {
            let retry_after_ms = u64::try_from(notice.retry_after.as_millis()).unwrap_or(u64::MAX).max(1);
            self.wire.send(&IngestReply::Throttle { from: notice.from, retry_after_ms }).await?;
        }
        Ok(())
    }

    /// Says that a message could not be used; the tenth time ends the connection.
    async fn send_error(&mut self, MessageFault { code, detail }: MessageFault) -> Result<(), End> {
        self.errors += 1;
        self.wire.send(&IngestReply::Error { code, detail: detail.into_owned() }).await?;
        if self.errors >= MAX_ERRORS { Err(End::Close(CloseCode::Malformed)) } else { Ok(()) }
    }

    /// Sends what was answered: rejects first, then one ack for all.
    async fn answer(&mut self, answers: Answers) -> Result<(), End> {
        let ended = answers.committed < answers.batches;
        self.record(answers);
        self.send_replies().await?;
        if ended {
            Err(End::Close(CloseCode::SessionEnded))
        } else if self.throttle.is_overtaken(self.through) {
            // The client must start again from what is stored.
            Err(End::Close(CloseCode::AtCapacity))
        } else {
            Ok(())
        }
    }

    /// Sends what is recorded. A reply leaves the queue only once the socket has it, so that this can be dropped and
    /// resumed, and no ack overtakes a reject.
    async fn send_replies(&mut self) -> Result<(), End> {
        while let Some(reply) = self.replies.front() {
            self.wire.feed(reply).await?;
            self.replies.pop_front();
        }
        if self.answered > 0 {
            self.wire.send(&IngestReply::Ack { through: self.through }).await?;
            let now = Instant::now();
            self.acked_at = now;
            for arrived in self.arrivals.drain(..std::mem::take(&mut self.answered)) {
                self.app.metrics.ack_latency_seconds.observe(now.duration_since(arrived).as_secs_f64());
            }
        }
        Ok(())
    }

    fn record(&mut self, answers: Answers) {
        self.in_flight -= answers.batches;
        self.samples_in_flight -= answers.samples;
        self.answered += answers.committed;
        self.through = self.through.max(answers.through);
        let mut late = 0;
        for Reject { seq, code, detail } in answers.rejects {
            late += u32::from(code == Code::OutOfOrder);
            self.replies.push_back(IngestReply::Reject { seq, code, detail });
        }
        if late > 0 {
            let debt = self.app.sample_limiter.charge(&self.user, late);
            if !debt.is_zero() {
                self.paused_until = Some(Instant::now() + debt);
            }
        }
    }

    /// Waits for the commits of what was taken, without sending: the peer may no longer read, and the next connection
    /// of this source waits for this one.
    pub(super) async fn settle(&mut self) -> Settled {
        if self.source.answers().batches() < self.in_flight {
            let _ = tokio::time::timeout(COMMIT_TIMEOUT, self.app.batcher.flush(self.source.session())).await;
        }
        if self.source.answers().batches() < self.in_flight { Settled::Partly } else { Settled::Wholly }
    }

    /// Sends the last answers, if the peer reads them.
    pub(super) async fn send_last_answers(&mut self) {
        let mut listens = self.send_replies().await.is_ok();
        while listens && let Some(answers) = self.source.answers().try_take() {
            listens = !matches!(self.answer(answers).await, Err(End::Gone));
        }
    }
}

async fn until(time: Option<Instant>) {
    if let Some(time) = time {
        tokio::time::sleep_until(time).await;
    }
}
