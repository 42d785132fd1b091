//! The live view of a session.

use std::collections::BTreeMap;

use mien_shared::problem::CloseCode;
use mien_shared::{Sample, SessionId, SessionStatus, SourceName};

/// Where a watcher's link stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchState {
    Connecting,
    Live,
    /// Connects again by itself, from where it was.
    Offline {
        retry_in_ms: u32,
    },
    /// The session is over, or the relay refused for good.
    Ended(CloseCode),
}

#[derive(Clone, Debug, PartialEq)]
pub enum WatchEvent {
    State(WatchState),
    /// In order of seq within the source, each sample once, also over a reconnect.
    Samples {
        source: SourceName,
        samples: Vec<Sample>,
    },
    /// Sources and watchers connected now, oneself included.
    Presence {
        sources: Vec<SourceName>,
        watchers: u64,
    },
    Session {
        status: SessionStatus,
    },
}

/// A link that watches. Dropping it closes the link.
#[derive(Debug)]
pub struct Watch {
    since: std::rc::Rc<std::cell::RefCell<BTreeMap<SourceName, u64>>>,
}

impl Watch {
    /// `since`: `None` for live from now, `Some` of the last seq seen of each source (an empty map for all).
    pub fn open(
        relay_origin: &str,
        session: SessionId,
        token: &str,
        since: Option<BTreeMap<SourceName, u64>>,
        on: impl Fn(WatchEvent) + 'static,
    ) -> Self {
        let _ = (relay_origin, session, token, on);
        Self { since: std::rc::Rc::new(std::cell::RefCell::new(since.unwrap_or_default())) }
    }

    /// The last seq seen of each source.
    pub fn since(&self) -> BTreeMap<SourceName, u64> {
        self.since.borrow().clone()
    }
}
