//! A source's connection: read, validate, hand to the batcher, write coalesced acks.
//!
//! Nothing is taken that was not paid for, and nothing that was taken is forgotten: however the connection
//! ends, what it took is committed, answered if anyone listens, and only then is the source's seat free.

mod read;
mod throttle;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::coalesce::Rest;
use super::hello::{self, Admitted, End};
use super::readiness::Alarm;
use super::upgrade::{Count, Entrant};
use super::wire::{Incoming, Wire};
use crate::app::App;
use crate::ingest::answers::Answers;
use crate::ingest::batcher::{Handed, HandedIn, Reject, Source};
use crate::limits::pending::Place;
use crate::live::Live;
use crate::store::{Item, StoreError};
use mien_shared::api::SourceName;
use mien_shared::expression::Expression;
use mien_shared::limits::MAX_ERRORS;
use mien_shared::problem::CloseCode;
use mien_shared::protocol::{
    IngestLimits, IngestMessage, IngestReply, IngestWelcome, MessageFault, read_ingest,
};
use mien_shared::{Code, Role, SessionId, SessionStatus};
use read::{Other, samples_from};
use throttle::Gate;
use tokio::time::Instant;
use tracing::{Instrument, Span};

/// Batches of one connection on the way to the store. A commit takes milliseconds, so this is several times
/// what a fast client needs to be kept busy.
const MAX_UNDER_WAY: usize = 16;
/// Sources that send often are acked ten times a second where there are many: each keeps what is not acked, so it
/// misses nothing. One that sends more rarely is acked as soon as its sample is committed.
const REST: Rest = Rest { each: Duration::from_micros(400), longest: Duration::from_millis(100) };
/// Samples that wait for an ack until it is due at once: a client that sends so many may wait for it.
const MANY: usize = 4;
/// Patience with the store for what was taken when the connection ends. What is not answered by then is
/// still committed, only unannounced.
const LAST_COMMITS: Duration = Duration::from_secs(10);

/// In `span` happens only what is rare: entering it for each message costs more than it tells.
pub(super) async fn serve(entrant: Entrant) {
    let Entrant { state, session, socket, span, place } = entrant;
    let mut wire = Wire::new(socket, state.config.timeouts);
    // Boxed: what is only needed for the hello is not kept for hours.
    let opened = Box::pin(open(&state, session, &mut wire, &place).instrument(span.clone())).await;
    // It counts until it is gone: whoever waits for the last permit waits for its goodbye, too.
    let (end, _admitted) = match opened {
        Ok(Opened { admitted, user, source }) => {
            (run(&state, &admitted, user, source, &mut wire, &span).await, Some(admitted))
        }
        Err(refused) => refused,
    };
    Box::pin(end.carry_out_in(&place, wire).instrument(span)).await;
}

/// A connection that was let in, but has not yet got the seat.
struct Opened {
    admitted: Admitted,
    user: String,
    source: SourceName,
}

/// What is refused after it was let in counts until it is gone, too.
async fn open(
    app: &App,
    session: SessionId,
    wire: &mut Wire,
    place: &Place,
) -> Result<Opened, (End, Option<Admitted>)> {
    let let_in = async {
        let text = hello::first_text(app, wire, place).await?;
        let Ok(IngestMessage::Hello { token }) = read_ingest(&text) else {
            return Err(End::Close(CloseCode::Malformed));
        };
        let believed = hello::check_token(app, &token, session, Role::Ingest, place).await?;
        // Before the look-up: whatever ends the session, or the token, from now on is either seen there or told here.
        let admitted = hello::admit(app, &believed, Role::Ingest, place).map_err(End::Close)?;
        Ok((believed, admitted))
    };
    let (believed, admitted) = let_in.await.map_err(|end| (end, None))?;
    let code = match hello::find(app, &believed).await.map(|session| session.status) {
        Ok(SessionStatus::Active) => {
            return Ok(Opened { admitted, user: believed.user, source: believed.grant.source });
        }
        Ok(SessionStatus::Completed) => CloseCode::SessionEnded,
        Err(code) => code,
    };
    Err((End::Close(code), Some(admitted)))
}

async fn run(
    app: &App,
    admitted: &Admitted,
    user: String,
    source: SourceName,
    wire: &mut Wire,
    span: &Span,
) -> End {
    let live = Arc::clone(&admitted.live);
    let claim = live.claim(&source);
    let stop = wire.bells().rarely(Box::pin(async {
        tokio::select! {
            code = claim.ended() => code,
            () = app.drain.begun() => CloseCode::Restarting,
            () = admitted.bearer.over() => CloseCode::Unauthorized,
        }
    }));
    tokio::pin!(stop);
    let seat = tokio::select! {
        biased;
        code = &mut stop => return End::Close(code),
        seat = claim.seat() => seat,
    };
    // Asked for only now: what the connection before had taken is committed.
    let (key, through) = tokio::select! {
        biased;
        code = &mut stop => return End::Close(code),
        found = tokio::time::timeout(LAST_COMMITS, Box::pin(app.store.open_source(live.id(), &source))) => match found {
            Ok(Ok(found)) => found,
            found => match span.in_scope(|| app.for_socket(found.unwrap_or(Err(StoreError::TimedOut)))) {
                Ok(found) => found,
                Err(code) => return End::Close(code),
            },
        },
    };
    let counted = Count::up(&app.sources);
    let welcome = welcome(app, &live, &source, through);
    // What the connections before owe: late samples are paid for afterwards, and a new connection pays too.
    let debt = app.sample_limiter.wait_for(&user, 0);
    let now = Instant::now();
    let mut connection = Connection {
        app,
        rest: wire.bells().alarm(now),
        wire,
        span,
        source: Arc::new(app.batcher.source(live, source, key)),
        user,
        gate: Gate::new(through),
        under_way: 0,
        waiting: 0,
        rests: false,
        acked: now,
        through,
        arrivals: VecDeque::new(),
        answered: 0,
        replies: VecDeque::new(),
        errors: 0,
        paused_until: (!debt.is_zero()).then(|| now + debt),
    };
    let end = tokio::select! {
        biased;
        code = &mut stop => End::Close(code),
        end = connection.talk(welcome) => end,
    };
    drop(counted);
    // What clients are told of a restart is that all they sent was acked.
    let end = match (end, Box::pin(connection.settle()).await) {
        (End::Close(CloseCode::Restarting), Settled::Partly) => End::Close(CloseCode::AtCapacity),
        (end, _) => end,
    };
    drop(seat);
    if end != End::Gone {
        Box::pin(connection.last_words()).await;
    }
    end
}

fn welcome(app: &App, live: &Live, source: &SourceName, through: u64) -> IngestReply {
    let rate = app.sample_limiter.rate();
    IngestReply::Welcome(IngestWelcome {
        session: live.id(),
        source: source.clone(),
        through,
        expressions: Expression::ALL.to_vec(),
        server_time: u64::try_from(crate::clock::now().as_millisecond()).unwrap_or(0),
        limits: IngestLimits::new(rate.per_second, rate.burst),
    })
}

struct Connection<'a> {
    app: &'a App,
    wire: &'a mut Wire,
    span: &'a Span,
    source: Arc<Source>,
    user: String,
    gate: Gate,
    /// Batches that the batcher has not answered.
    under_way: usize,
    /// The samples in them.
    waiting: usize,
    /// Whether it leaves answers alone until `rest` rings, or many samples wait.
    rests: bool,
    rest: Alarm,
    /// When the last ack went out.
    acked: Instant,
    /// What the source has been answered for.
    through: u64,
    /// When the batches came that are not acked, in their order.
    arrivals: VecDeque<Instant>,
    /// How many of those the next ack covers; none, and no ack is due.
    answered: usize,
    /// Rejects that are yet to be written.
    replies: VecDeque<IngestReply>,
    errors: u32,
    /// Late samples are paid for afterwards; until then the connection is not read.
    paused_until: Option<Instant>,
}

/// Whether all that a connection took is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settled {
    Wholly,
    Partly,
}

impl Connection<'_> {
    /// The talk, until something ends it. Dropped by whoever needs it to stop: every place where it waits
    /// either has taken nothing yet or has handed all to the batcher.
    async fn talk(&mut self, welcome: IngestReply) -> End {
        match self.talk_on(welcome).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn talk_on(&mut self, welcome: IngestReply) -> Result<std::convert::Infallible, End> {
        self.wire.send(&welcome).await?;
        loop {
            let may_read = self.under_way < MAX_UNDER_WAY && self.paused_until.is_none();
            let rests = self.rests && self.waiting < MANY;
            tokio::select! {
                biased;
                // While it rests, answers wake nobody.
                answers = self.source.answers().take(), if self.under_way > 0 && !rests => {
                    if !may_read {
                        self.wire.listen_again();
                    }
                    self.answer(answers).await?;
                    self.rests = false;
                    if self.under_way > 0 {
                        self.rest(self.acked);
                    }
                }
                () = std::future::poll_fn(|task| self.rest.poll(task)), if self.under_way > 0 && rests => {
                    self.rests = false;
                }
                incoming = self.wire.next(), if may_read => self.hear(incoming).await?,
                () = until(self.paused_until), if self.paused_until.is_some() => {
                    self.paused_until = None;
                    self.wire.listen_again();
                }
            }
        }
    }

    /// What was handed in soon after the last ack waits until the rest is over. A source that sends more rarely than
    /// that never sets the timer, which would wake its task for nothing.
    fn rest(&mut self, now: Instant) {
        if self.rests {
            return;
        }
        let until = self.acked + REST.among(u64::try_from(self.app.sources.get()).unwrap_or(0));
        if now < until {
            self.rests = true;
            self.rest.set(until);
        }
    }

    async fn hear(&mut self, incoming: Incoming) -> Result<(), End> {
        let (items, other) = samples_from(incoming, self.wire);
        if !items.is_empty() {
            self.take(items).await?;
        }
        match other {
            None => Ok(()),
            // Boxed: it is rare, and a connection that waits should hold no room for it.
            Some(Other::Complaint(fault)) => Box::pin(self.complain(fault)).await,
            Some(Other::End(end)) => Err(end),
        }
    }

    async fn take(&mut self, items: Vec<Item>) -> Result<(), End> {
        let arrived = self.wire.heard();
        let passage = self
            .gate
            .pass(items, &self.app.sample_limiter, &self.user, arrived.into_std())
            .map_err(|_| End::Close(CloseCode::ThrottleIgnored))?;
        if passage.held > 0 {
            self.app.metrics.samples.throttled.inc_by(passage.held);
            self.app.metrics.rate_limited_samples.inc_by(passage.held);
        }
        if !passage.passed.is_empty() {
            let count = passage.passed.len();
            let span = tracing::debug_span!(parent: self.span, "samples", count);
            let handed = Handed { source: Arc::clone(&self.source), items: passage.passed, span };
            if self.app.batcher.submit(handed).await == HandedIn::AfterAWait {
                // The peer may wait for its ack.
                self.wire.listen_again();
            }
            self.arrivals.push_back(arrived);
            self.under_way += 1;
            self.waiting += count;
            self.rest(arrived);
        }
        if let Some(throttle) = passage.throttle {
            let retry_after_ms = u64::try_from(throttle.retry_after.as_millis()).unwrap_or(u64::MAX).max(1);
            self.wire.send(&IngestReply::Throttle { from: throttle.from, retry_after_ms }).await?;
        }
        Ok(())
    }

    /// Says that a message could not be used; the tenth time is the last.
    async fn complain(&mut self, MessageFault { code, detail }: MessageFault) -> Result<(), End> {
        self.errors += 1;
        self.wire.send(&IngestReply::Error { code, detail: detail.into_owned() }).await?;
        if self.errors >= MAX_ERRORS { Err(End::Close(CloseCode::Malformed)) } else { Ok(()) }
    }

    /// Passes on what was answered: rejects first, then one ack for all.
    async fn answer(&mut self, answers: Answers) -> Result<(), End> {
        let ended = answers.committed < answers.batches;
        self.note(answers);
        self.write_out().await?;
        if ended {
            Err(End::Close(CloseCode::SessionEnded))
        } else if self.gate.is_overtaken(self.through) {
            // It is to begin anew after what is stored.
            Err(End::Close(CloseCode::AtCapacity))
        } else {
            Ok(())
        }
    }

    /// Writes what is noted. Each reply leaves the queue only when it has been handed over, so that whoever
    /// stops this can have it go on where it was, and no ack overtakes a reject.
    async fn write_out(&mut self) -> Result<(), End> {
        while let Some(reply) = self.replies.front() {
            self.wire.feed(reply).await?;
            self.replies.pop_front();
        }
        if self.answered > 0 {
            self.wire.send(&IngestReply::Ack { through: self.through }).await?;
            let now = Instant::now();
            self.acked = now;
            for arrived in self.arrivals.drain(..std::mem::take(&mut self.answered)) {
                self.app.metrics.ack_latency_seconds.observe(now.duration_since(arrived).as_secs_f64());
            }
        }
        Ok(())
    }

    fn note(&mut self, answers: Answers) {
        self.under_way -= answers.batches;
        self.waiting -= answers.samples;
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

    /// Waits for the commits of what was taken, without writing: the peer may no longer listen, and the next
    /// connection of this source waits for this one.
    async fn settle(&mut self) -> Settled {
        if self.source.answers().batches() < self.under_way {
            let _ = tokio::time::timeout(LAST_COMMITS, self.app.batcher.flush(self.source.session())).await;
        }
        if self.source.answers().batches() < self.under_way { Settled::Partly } else { Settled::Wholly }
    }

    /// Passes on the last answers, if the peer listens.
    async fn last_words(&mut self) {
        let mut listens = self.write_out().await.is_ok();
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
