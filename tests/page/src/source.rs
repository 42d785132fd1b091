//! A source without a camera: numbers made up by the test, sent through the real ingest socket.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mien_kit::blocking::block_on;
use mien_kit::socket::{self, Kind, Socket};
use mien_shared::api::SessionCreated;
use mien_shared::expression::{Expression, Scores};
use mien_shared::limits::MAX_BATCH;
use mien_shared::protocol::{IngestReply, IngestRequest};
use mien_shared::{Face, Sample, SessionId};

use crate::relay::Relay;

/// A camera that takes ten samples a second.
pub const EVERY_MS: u64 = 100;

/// Connected until it is dropped.
#[derive(Debug)]
pub struct Source {
    socket: Socket,
    seq: u64,
    /// How far its clock is ahead of this machine's.
    ahead_ms: u64,
}

/// This machine's time, Unix milliseconds.
#[expect(clippy::disallowed_methods, reason = "a label for samples, as a source's `at` is")]
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that was set");
    u64::try_from(since.as_millis()).expect("a near future")
}

/// A happy face.
fn sample(seq: u64, at: u64) -> Sample {
    let face = Face {
        quality: Some(0.75),
        ..Face::new(
            1,
            [0.25, 0.25, 0.5, 0.5].into(),
            Some(Expression::Happiness),
            Scores([0.1, 0.9, 0.0, 0.0, 0.0, 0.0, 0.0]),
        )
    };
    Sample::new(seq, at, vec![face])
}

impl Source {
    /// The session's main source. It continues where an earlier one ended.
    pub fn connect(relay: &Relay, session: &SessionCreated) -> Self {
        let SessionCreated { session, tokens } = session;
        let (socket, seq) = hello(relay, session.id, &tokens.ingest);
        Self { socket, seq, ahead_ms: 0 }
    }

    /// The last seq that it has sent.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Sends what it would have sent until now if it had begun this many samples ago. Returns once all are stored.
    pub fn send_past(&mut self, count: u64) {
        self.send_from(now_ms() - count * EVERY_MS, count);
    }

    /// As if it had run for this many samples, all at once: from here on its clock is ahead by that time.
    pub fn send_ahead(&mut self, count: u64) {
        self.send_from(now_ms() + self.ahead_ms, count);
        self.ahead_ms += count * EVERY_MS;
    }

    fn send_from(&mut self, at: u64, count: u64) {
        for first in (0..count).step_by(MAX_BATCH) {
            let batch = (count - first).min(MAX_BATCH as u64);
            let samples: Vec<Sample> = (0..batch)
                .map(|place| sample(self.seq + 1 + place, at + (first + place) * EVERY_MS))
                .collect();
            say(&mut self.socket, &IngestRequest::Samples { samples: &samples });
            self.seq += batch;
            // One message in flight at a time: all that matters here is that everything arrives.
            while self.hear() < self.seq {}
        }
    }

    /// Runs like a camera until the handle is dropped.
    pub fn run(self) -> Running {
        let shared = Arc::new(Shared { source: Mutex::new(self), ended: AtomicBool::new(false) });
        let runs = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            while !runs.ended.load(Ordering::SeqCst) {
                // The pace of a camera.
                thread::sleep(Duration::from_millis(EVERY_MS));
                runs.source().send_now();
            }
        });
        Running { shared, thread: Some(thread) }
    }

    fn send_now(&mut self) {
        self.send_from(now_ms() + self.ahead_ms, 1);
    }

    /// The next ack.
    fn hear(&mut self) -> u64 {
        match hear(&mut self.socket) {
            IngestReply::Ack { through } => through,
            other => panic!("no ack: {other:?}"),
        }
    }
}

fn hello(relay: &Relay, session: SessionId, token: &str) -> (Socket, u64) {
    let socket = block_on(socket::connect(relay.address(), session, Kind::Ingest, None));
    let mut socket = socket.expect("the relay takes it");
    say(&mut socket, &IngestRequest::Hello { token });
    match hear(&mut socket) {
        IngestReply::Welcome(welcome) => (socket, welcome.through),
        other => panic!("no welcome: {other:?}"),
    }
}

fn say(socket: &mut Socket, message: &IngestRequest<'_>) {
    block_on(socket::say(socket, message)).expect("the relay listens");
}

fn hear(socket: &mut Socket) -> IngestReply {
    block_on(socket::hear(socket)).expect("the relay answers")
}

#[derive(Debug)]
struct Shared {
    source: Mutex<Source>,
    ended: AtomicBool,
}

impl Shared {
    fn source(&self) -> MutexGuard<'_, Source> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A source that sends on its own. It disconnects when dropped.
#[derive(Debug)]
pub struct Running {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub fn seq(&self) -> u64 {
        self.shared.source().seq()
    }

    /// Like [`Source::send_ahead`].
    pub fn send_ahead(&self, count: u64) {
        self.shared.source().send_ahead(count);
    }

    /// Stops sending, but stays connected.
    pub fn pause(mut self) -> Source {
        self.end();
        let shared = Arc::clone(&self.shared);
        drop(self);
        Arc::into_inner(shared)
            .map(|shared| shared.source.into_inner().unwrap_or_else(PoisonError::into_inner))
            .expect("its thread has ended")
    }

    fn end(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            // A thread that failed has already reported it.
            let _ = thread.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
