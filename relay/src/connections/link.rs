//! One HTTP connection's state, shared by all who serve it: its stream, its task, its request and the table of places.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::HttpBody;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::pace::Pace;
use super::requests::Permit;
use super::{Connections, Shared};
use crate::config::Timeouts;

/// Answers that are longer have their progress watched closely, see [`super::stream`].
const LARGE_BYTES: u64 = 128 * 1024;

#[derive(Debug)]
pub(crate) struct Link {
    id: u64,
    shared: Arc<Shared>,
    state: Mutex<State>,
    /// The table wants the connection's place.
    asked: AtomicBool,
    cut: AtomicBool,
    /// Tells the connection's task of either.
    told: Notify,
    /// The answer is made, and its last bytes are with the server.
    made: AtomicBool,
    is_large: AtomicBool,
    upgraded: AtomicBool,
    /// Bytes that the system has taken for the peer.
    taken: AtomicU64,
    /// The system takes no more at the moment.
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
    /// Part of a request's head is there, or none of the first.
    Heading,
    /// Between two requests.
    Idle,
    /// The body still comes.
    Uploading,
    Answering,
}

/// What a connection's time limits say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Later(Instant),
    /// It has been idle for long enough, unless something has come just now.
    Ask,
    Cut,
}

impl Link {
    pub(super) fn new(id: u64, shared: Arc<Shared>) -> Self {
        let since = Instant::now();
        Self {
            id,
            shared,
            state: Mutex::new(State {
                phase: Phase::Heading,
                since,
                pace: Pace::start(since, 0),
                permit: None,
            }),
            asked: AtomicBool::default(),
            cut: AtomicBool::default(),
            told: Notify::new(),
            made: AtomicBool::default(),
            is_large: AtomicBool::default(),
            upgraded: AtomicBool::default(),
            taken: AtomicU64::default(),
            blocked: AtomicBool::default(),
        }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn connections(&self) -> Connections {
        Connections(Arc::clone(&self.shared))
    }

    /// A request's head is there, perhaps with all of its body.
    pub(super) fn requested(&self, is_complete: bool) {
        self.made.store(false, Relaxed);
        let mut state = self.state();
        state.phase = if is_complete { Phase::Answering } else { Phase::Uploading };
        state.since = Instant::now();
        state.pace = Pace::start(state.since, self.taken.load(Relaxed));
        drop(state);
        if is_complete {
            self.shared.busy(self.id);
        }
    }

    /// The last of a request's body is there.
    pub(super) fn completed(&self) {
        let mut state = self.state();
        if state.phase == Phase::Uploading {
            state.phase = Phase::Answering;
            drop(state);
            self.shared.busy(self.id);
        }
    }

    /// The request has its place among those under way, until it is answered to the last byte.
    pub(super) fn hold(&self, permit: Permit) {
        self.state().permit = Some(permit);
    }

    /// An answer is about to be sent: the connection's last, where it ends soon (`is_last`) or others may need its place.
    pub(super) fn answers<B: HttpBody>(&self, answer: &mut Response<B>, is_last: bool) {
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            self.upgraded.store(true, Relaxed);
            self.shared.table().leave(self.id);
            return;
        }
        self.is_large
            .store(answer.body().size_hint().upper().is_none_or(|bytes| bytes > LARGE_BYTES), Relaxed);
        if is_last || self.shared.table().is_crowded(self.id) {
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }

    /// The server has all of the answer.
    pub(super) fn made(&self) {
        self.made.store(true, Relaxed);
    }

    /// The system has all that the server had.
    pub(super) fn flushed(&self) {
        if self.made.load(Relaxed) && self.made.swap(false, Relaxed) {
            let mut state = self.state();
            state.phase = Phase::Idle;
            state.since = Instant::now();
            let permit = state.permit.take();
            drop(state);
            self.shared.table().wait(self.id);
            drop(permit);
        }
    }

    /// Something has come.
    pub(super) fn heard(&self) {
        let mut state = self.state();
        if state.phase == Phase::Idle {
            state.phase = Phase::Heading;
            state.since = Instant::now();
        }
    }

    pub(super) fn took(&self, bytes: usize) {
        self.taken.fetch_add(bytes as u64, Relaxed);
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

    /// Has a request under way that waits for its peer, to send the rest of it or to take the answer.
    pub(super) fn is_slow(&self) -> bool {
        !self.is_cut() && (self.blocked.load(Relaxed) || self.state().phase == Phase::Uploading)
    }

    /// Asks it to go unless it has a complete request.
    pub(super) fn ask(&self) {
        self.asked.store(true, Relaxed);
        self.told.notify_one();
    }

    /// Takes that back: it has one.
    pub(super) fn stay(&self) {
        self.asked.store(false, Relaxed);
    }

    /// Whether it should go, if nothing has come.
    pub(super) fn should_go(&self) -> bool {
        self.asked.load(Relaxed) && self.state().phase != Phase::Answering
    }

    pub(super) fn cut(&self) {
        self.cut.store(true, Relaxed);
        self.told.notify_one();
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut.load(Relaxed)
    }

    /// Returns when it was asked to go, or cut.
    pub(super) async fn told(&self) {
        self.told.notified().await;
    }

    /// What the time limits say now.
    pub(super) fn due(&self, now: Instant, timeouts: &Timeouts) -> Due {
        let mut state = self.state();
        let until = match state.phase {
            Phase::Heading => state.since + timeouts.headers,
            Phase::Idle => state.since + timeouts.idle,
            Phase::Uploading | Phase::Answering => {
                let (taken, blocked) = (self.taken.load(Relaxed), self.blocked.load(Relaxed));
                return match state.pace.look(now, taken, blocked, timeouts.stall) {
                    Some(next) => Due::Later(next),
                    None => Due::Cut,
                };
            }
        };
        match state.phase {
            _ if now < until => Due::Later(until),
            Phase::Idle if !self.asked.load(Relaxed) => Due::Ask,
            _ => Due::Cut,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
