//! A source that behaves like the browser's: it keeps what is not acked, and after a new connection continues from what
//! the relay says that it has.
//!
//! It checks what it is told: acks never go back and never cover what was not sent, nothing acked is ever asked for
//! again, and only invalid samples are refused.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use mien_shared::protocol::{IngestReply, IngestRequest};
use mien_shared::{Code, SessionId};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_tungstenite::tungstenite::Message;

use crate::load::{Account, Load};
use crate::socket::{AWAY, BROKEN, Kind, Missed, Socket, connect, hear, say};
use crate::wait::patiently;

/// Pause before it tries again.
const RETRY: Duration = Duration::from_millis(25);
/// Close codes after which a client may come back: broken off, restarting, at capacity, throttle ignored.
const WORTH_RETRYING: [u16; 4] = [BROKEN, 1012, 1013, 4429];

/// Runs until it is finished or dropped.
#[derive(Debug)]
pub struct Source {
    name: String,
    load: Load,
    outbox: Arc<Outbox>,
    place: watch::Sender<SocketAddr>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Outbox {
    state: Mutex<State>,
    /// Something can be sent, or it is time to end.
    changed: Notify,
    acked: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    made: u64,
    /// The relay has answered up to here.
    acked: u64,
    /// Sent up to here on this connection.
    sent: u64,
    /// Sent up to here on any connection.
    ever_sent: u64,
    /// Last seq of each message in flight, and when it was sent.
    under_way: VecDeque<(u64, Instant)>,
    paused_until: Option<Instant>,
    stopping: bool,
    rejected: BTreeMap<u64, Code>,
    latencies: Vec<Duration>,
    closes: Vec<u16>,
    throttled: u32,
}

impl Source {
    pub fn start(address: SocketAddr, session: SessionId, name: &str, token: &str, load: Load) -> Self {
        let outbox = Arc::new(Outbox {
            state: Mutex::default(),
            changed: Notify::new(),
            acked: watch::Sender::new(0),
        });
        let (place, places) = watch::channel(address);
        let runner = Runner { outbox: Arc::clone(&outbox), places, session, token: token.to_owned(), load };
        Self { name: name.to_owned(), load, outbox, place, task: tokio::spawn(runner.run()) }
    }

    /// Everything up to here was acked.
    pub fn acked(&self) -> u64 {
        *self.outbox.acked.borrow()
    }

    pub fn made(&self) -> u64 {
        self.outbox.lock().made
    }

    /// How its connections ended so far.
    pub fn closes(&self) -> Vec<u16> {
        self.outbox.lock().closes.clone()
    }

    /// The latencies recorded so far; recording starts again.
    pub fn take_latencies(&self) -> Vec<Duration> {
        std::mem::take(&mut self.outbox.lock().latencies)
    }

    /// Returns once everything up to this seq is acked.
    pub async fn acked_to(&mut self, seq: u64) {
        let mut acked = self.outbox.acked.subscribe();
        let what = format!("source {} to be acked up to {seq}", self.name);
        tokio::select! {
            _ = patiently(&what, acked.wait_for(|acked| *acked >= seq)) => {}
            ended = &mut self.task => panic!("source {} ended: {ended:?}", self.name),
        }
    }

    /// Returns once this many more samples are acked than when this was called.
    pub async fn acked_more(&mut self, count: u64) {
        self.acked_to(self.acked() + count).await;
    }

    /// Disconnects and continues at another relay.
    pub fn move_to(&self, address: SocketAddr) {
        self.place.send_replace(address);
    }

    /// Makes no more samples, waits until all are acked, and closes properly.
    pub async fn finish(self) -> Account {
        self.outbox.lock().stopping = true;
        self.outbox.changed.notify_one();
        let ended = patiently(&format!("source {} to finish", self.name), self.task).await;
        if let Err(cause) = ended {
            std::panic::resume_unwind(cause.into_panic());
        }
        let state = self.outbox.lock();
        Account {
            source: self.name,
            load: self.load,
            made: state.made,
            rejected: state.rejected.clone(),
            latencies: state.latencies.clone(),
            closes: state.closes.clone(),
            throttled: state.throttled,
        }
    }

    /// Disconnects without closing.
    pub fn abandon(self) {
        self.task.abort();
    }
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("a source that failed has failed its test")
    }
}

struct Runner {
    outbox: Arc<Outbox>,
    places: watch::Receiver<SocketAddr>,
    session: SessionId,
    token: String,
    load: Load,
}

impl Runner {
    async fn run(mut self) {
        let mut ticks = tokio::time::interval(self.load.pause.max(Duration::from_millis(1)));
        // A camera does not wait for the network.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        while !self.outbox.lock().is_done() {
            let address = *self.places.borrow_and_update();
            match connect(address, self.session, Kind::Ingest, None).await {
                Ok(socket) => {
                    let talk = Talk { outbox: &self.outbox, load: self.load, token: &self.token };
                    tokio::select! {
                        code = talk.run(socket, &mut ticks) => {
                            self.outbox.lock().closes.push(code);
                            let done = self.outbox.lock().is_done();
                            assert!(done || WORTH_RETRYING.contains(&code), "closed with {code}");
                        }
                        _ = self.places.changed() => {}
                    }
                }
                Err(Missed::Refused(status)) => assert!(AWAY.contains(&status), "refused with {status}"),
                Err(Missed::Nobody) => {}
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}

enum Step {
    /// These samples, both ends inclusive.
    Send(u64, u64),
    /// Wait for news, or until this time.
    Wait(Option<Instant>),
    End,
}

/// One connection.
struct Talk<'a> {
    outbox: &'a Outbox,
    load: Load,
    token: &'a str,
}

impl Talk<'_> {
    /// Runs until the connection ends, and returns the close code.
    async fn run(&self, mut socket: Socket, ticks: &mut Interval) -> u16 {
        if say(&mut socket, &IngestRequest::Hello { token: self.token }).await.is_err() {
            // What the relay said before it closed may still be unread.
            return hear::<IngestReply>(&mut socket).await.err().unwrap_or(BROKEN);
        }
        match hear::<IngestReply>(&mut socket).await {
            Ok(IngestReply::Welcome(welcome)) => self.outbox.lock().go_on_from(welcome.through),
            Ok(other) => panic!("not a welcome: {other:?}"),
            Err(code) => return code,
        }
        let (sink, mut stream) = socket.split();
        let read = self.read(&mut stream);
        tokio::pin!(read);
        tokio::select! {
            code = &mut read => code,
            // Nothing more can be sent, but what the relay said before may still be unread.
            () = self.write(sink, ticks) => read.await,
        }
    }

    async fn read(&self, stream: &mut SplitStream<Socket>) -> u16 {
        loop {
            let reply = match hear::<IngestReply>(stream).await {
                Ok(reply) => reply,
                Err(code) => return code,
            };
            let mut state = self.outbox.lock();
            match reply {
                IngestReply::Ack { through } => {
                    state.take_ack(through);
                    self.outbox.acked.send_replace(through);
                }
                IngestReply::Reject { seq, code, detail } => {
                    assert!(self.load.is_spoiled(seq), "{seq} is good, but refused: {code} {detail}");
                    state.rejected.insert(seq, code);
                }
                IngestReply::Throttle { from, retry_after_ms } => {
                    state.sent = from - 1;
                    state.under_way.retain(|(last, _)| *last < from);
                    state.paused_until = Some(Instant::now() + Duration::from_millis(retry_after_ms));
                    state.throttled += 1;
                }
                other => panic!("unexpected: {other:?}"),
            }
            drop(state);
            self.outbox.changed.notify_one();
        }
    }

    /// Sends what there is until the connection accepts no more, or everything is acked.
    async fn write(&self, mut sink: SplitSink<Socket, Message>, ticks: &mut Interval) {
        loop {
            let step = self.outbox.lock().step(self.load);
            let pause = match step {
                Step::Send(first, last) => {
                    if sink.send(Message::text(self.load.message(first, last))).await.is_err() {
                        return;
                    }
                    continue;
                }
                Step::Wait(pause) => pause,
                Step::End => {
                    let _ = sink.send(Message::Close(None)).await;
                    return;
                }
            };
            let paced = !self.load.pause.is_zero() && !self.outbox.lock().stopping;
            tokio::select! {
                () = self.outbox.changed.notified() => {}
                _ = ticks.tick(), if paced => self.outbox.lock().made += self.load.batch,
                () = tokio::time::sleep_until(pause.unwrap_or_else(Instant::now)), if pause.is_some() => {}
            }
        }
    }
}

impl State {
    fn is_done(&self) -> bool {
        self.stopping && self.acked == self.made
    }

    fn go_on_from(&mut self, through: u64) {
        assert!(through >= self.acked, "{} was acked, but the relay knows only {through}", self.acked);
        assert!(through <= self.ever_sent, "{through} is more than was ever sent");
        self.sent = through;
        self.under_way.clear();
        self.paused_until = None;
    }

    /// What to do next on a connection.
    fn step(&mut self, load: Load) -> Step {
        if self.is_done() {
            return Step::End;
        }
        if self.paused_until.is_some_and(|until| until > Instant::now()) {
            return Step::Wait(self.paused_until);
        }
        self.paused_until = None;
        if self.under_way.len() >= load.window {
            return Step::Wait(None);
        }
        if self.sent >= self.made && load.pause.is_zero() && !self.stopping {
            self.made += load.batch;
        }
        let first = self.sent + 1;
        let last = self.made.min(self.sent + load.most());
        if first > last {
            return Step::Wait(None);
        }
        self.sent = last;
        self.ever_sent = self.ever_sent.max(last);
        self.under_way.push_back((last, Instant::now()));
        Step::Send(first, last)
    }

    fn take_ack(&mut self, through: u64) {
        assert!(through >= self.acked, "an ack went back from {} to {through}", self.acked);
        assert!(through <= self.ever_sent, "{through} was acked, but never sent");
        self.acked = through;
        while let Some((last, left)) = self.under_way.front() {
            if *last > through {
                break;
            }
            self.latencies.push(left.elapsed());
            self.under_way.pop_front();
        }
    }
}
