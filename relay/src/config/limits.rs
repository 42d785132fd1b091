//! How much and how long: the groups of limits that parts of the relay are given.

use std::time::Duration;

use mien_shared::limits::{
    HEADERS_TIMEOUT, HELLO_TIMEOUT, MAX_MARKERS, MAX_PENDING_SOCKETS, MAX_PENDING_SOCKETS_PER_ADDRESS,
    MAX_SOURCES, PENDING_GRACE, PING_EVERY, SILENCE,
};

/// Sessions of one user, unless configured otherwise.
pub(super) const SESSIONS_PER_USER: u32 = 10_000;
/// How fast and how much at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// 1 or more.
    pub per_second: u32,
    /// 1 or more.
    pub burst: u32,
}

impl Rate {
    /// Nanoseconds in which `count` tokens flow in, rounded down.
    pub(crate) fn cost(self, count: u32) -> u64 {
        u64::from(count) * 1_000_000_000 / u64::from(self.per_second)
    }
}

/// Maximum number of WebSockets among those that have said hello.
#[derive(Clone, Copy, Debug)]
pub struct SocketQuota {
    pub per_user: usize,
    pub per_session: usize,
    pub per_token: usize,
}

/// What one user may keep.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    pub sessions: u32,
    pub sources_per_session: u32,
    pub markers_per_session: u32,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            sessions: SESSIONS_PER_USER,
            sources_per_session: MAX_SOURCES as u32,
            markers_per_session: MAX_MARKERS as u32,
        }
    }
}

/// How long sockets and connections wait. The contract's figures; tests shorten them.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    pub hello: Duration,
    pub ping: Duration,
    pub silence: Duration,
    pub headers: Duration,
    /// A connection between two requests.
    pub idle: Duration,
    /// An answer that is read at less than the minimum speed.
    pub stall: Duration,
    /// A connection that was just opened or just answered, before another may take its place.
    pub grace: Duration,
    /// A request that waits in the queue for a place among those in progress.
    pub line: Duration,
    /// The text of `/metrics`, before it is rendered again.
    pub metrics: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            hello: HELLO_TIMEOUT,
            ping: PING_EVERY,
            silence: SILENCE,
            headers: HEADERS_TIMEOUT,
            // Proxies send their next request over a connection that was idle for 60 s (nginx, AWS) or 120 s (Caddy);
            // where the relay closed it first, a request may be lost.
            idle: Duration::from_secs(150),
            // A proxy on the same machine opens a window of 64 KiB, which its slow client may take this long to read.
            stall: Duration::from_secs(30),
            grace: Duration::from_secs(1),
            line: Duration::from_secs(10),
            metrics: Duration::from_secs(1),
        }
    }
}

/// Slots for sockets that have not said hello. The contract's figures; tests make them small.
#[derive(Clone, Copy, Debug)]
pub struct PendingLimits {
    pub total: usize,
    pub per_address: usize,
    /// For how long a slot is guaranteed.
    pub grace: Duration,
}

impl Default for PendingLimits {
    fn default() -> Self {
        Self {
            total: MAX_PENDING_SOCKETS,
            per_address: MAX_PENDING_SOCKETS_PER_ADDRESS,
            grace: PENDING_GRACE,
        }
    }
}
