//! The state of one HTTP connection, shared by its stream, its task, its request and the table of connections.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::pace::Pace;
use super::requests::Permit;
use crate::config::Timeouts;

/// The progress of longer answers is watched closely, see [`super::stream`].
const LARGE_BYTES: u64 = 128 * 1024;

#[derive(Debug)]
pub(crate) struct Connection {
    id: u64,
    state: Mutex<State>,
    /// The table needs the connection's place.
    close_requested: AtomicBool,
    cut: AtomicBool,
    /// Wakes the connection's task for either.
    notify: Notify,
    /// The server has all bytes of the answer.
    answer_complete: AtomicBool,
    is_large: AtomicBool,
    upgraded: AtomicBool,
    /// Bytes that the system has accepted for the peer.
    sent_bytes: AtomicU64,
    /// The system accepts no more at the moment.
    blocked: AtomicBool,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    since: Instant,
    pace: Pace,
    permit: Option<Permit>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Reading the head of a request, or waiting for the first.
    Heading,
    /// Between two requests.
    Idle,
    /// Receiving the body.
    Uploading,
    Answering,
}

/// What a connection's time limits require.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Later(Instant),
    /// It has been idle for long enough, unless something has just arrived.
    RequestClose,
    Cut,
}

impl Connection {
    pub(super) fn new(id: u64) -> Self {
        let since = Instant::now();
        Self {
            id,
            state: Mutex::new(State {
                phase: Phase::Heading,
                since,
                pace: Pace::start(since, 0),
                permit: None,
            }),
            close_requested: AtomicBool::default(),
            cut: AtomicBool::default(),
            notify: Notify::new(),
            answer_complete: AtomicBool::default(),
            is_large: AtomicBool::default(),
            upgraded: AtomicBool::default(),
            sent_bytes: AtomicU64::default(),
            blocked: AtomicBool::default(),
        }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// A request's head has arrived, perhaps with all of its body.
    pub(super) fn requested(&self, is_complete: bool) {
        self.answer_complete.store(false, Relaxed);
        let mut state = self.state();
        state.phase = if is_complete { Phase::Answering } else { Phase::Uploading };
        state.since = Instant::now();
        state.pace = Pace::start(state.since, self.sent_bytes.load(Relaxed));
    }

    /// The last of a request's body has arrived; returns whether that is news.
    pub(super) fn completed(&self) -> bool {
        let mut state = self.state();
        let is_news = state.phase == Phase::Uploading;
        if is_news {
            state.phase = Phase::Answering;
        }
        is_news
    }

    /// The request holds a permit until it is answered to the last byte.
    pub(super) fn hold(&self, permit: Permit) {
        self.state().permit = Some(permit);
    }

    pub(super) fn upgraded(&self) {
        self.upgraded.store(true, Relaxed);
    }

    /// An answer of this length at most is about to be sent.
    pub(super) fn answers(&self, length: Option<u64>) {
        self.is_large.store(length.is_none_or(|bytes| bytes > LARGE_BYTES), Relaxed);
    }

    /// The server has all of the answer.
    pub(super) fn answer_complete(&self) {
        self.answer_complete.store(true, Relaxed);
    }

    /// The system has all that the server had. If that was an answer, the connection is idle, and `released` is called
    /// before the permit of its request is.
    pub(super) fn flushed(&self, released: impl FnOnce()) {
        if self.answer_complete.load(Relaxed) && self.answer_complete.swap(false, Relaxed) {
            let mut state = self.state();
            state.phase = Phase::Idle;
            state.since = Instant::now();
            let permit = state.permit.take();
            drop(state);
            released();
            drop(permit);
        }
    }

    /// Bytes have arrived.
    pub(super) fn received(&self) {
        let mut state = self.state();
        if state.phase == Phase::Idle {
            state.phase = Phase::Heading;
            state.since = Instant::now();
        }
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.sent_bytes.fetch_add(bytes as u64, Relaxed);
        self.blocked.store(false, Relaxed);
    }

    pub(super) fn is_blocked(&self) {
        self.blocked.store(true, Relaxed);
    }

    pub(super) fn is_large(&self) -> bool {
        self.is_large.load(Relaxed)
    }

    pub(super) fn is_upgraded(&self) -> bool {
        self.upgraded.load(Relaxed)
    }

    /// Whether its request waits for the peer, either to send the rest of it or to read the answer.
    pub(super) fn is_slow(&self) -> bool {
        !self.is_cut() && (self.blocked.load(Relaxed) || self.state().phase == Phase::Uploading)
    }

    /// Asks it to close unless it has a complete request.
    pub(super) fn request_close(&self) {
        self.close_requested.store(true, Relaxed);
        self.notify.notify_one();
    }

    /// Withdraws that: it has a complete request.
    pub(super) fn cancel_close(&self) {
        self.close_requested.store(false, Relaxed);
    }

    /// Whether it should close if nothing has arrived.
    pub(super) fn should_close(&self) -> bool {
        self.close_requested.load(Relaxed) && self.state().phase != Phase::Answering
    }

    pub(super) fn cut(&self) {
        self.cut.store(true, Relaxed);
        self.notify.notify_one();
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut.load(Relaxed)
    }

    /// Returns when it was asked to close, or cut.
    pub(super) async fn notified(&self) {
        self.notify.notified().await;
    }

    /// What the time limits say now.
    pub(super) fn due(&self, now: Instant, timeouts: &Timeouts) -> Due {
        let mut state = self.state();
        let until = match state.phase {
            Phase::Heading => state.since + timeouts.headers,
            Phase::Idle => state.since + timeouts.idle,
            Phase::Uploading | Phase::Answering => {
                let (taken, blocked) = (self.sent_bytes.load(Relaxed), self.blocked.load(Relaxed));
                return match state.pace.look(now, taken, blocked, timeouts.stall) {
                    Some(next) => Due::Later(next),
                    None => Due::Cut,
                };
            }
        };
        match state.phase {
            _ if now < until => Due::Later(until),
            Phase::Idle if !self.close_requested.load(Relaxed) => Due::RequestClose,
            _ => Due::Cut,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
