//! What a watcher reports.

use std::collections::BTreeMap;

use mien_shared::problem::CloseCode;
use mien_shared::{Sample, SessionStatus, SourceName};

use super::pace::SourcePace;
use crate::link::Trouble;

/// Where a watcher begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begin {
    /// A few minutes before the end.
    Recent,
    /// After the last seq seen of each source; a source that is not named begins at its start.
    After(BTreeMap<SourceName, u64>),
}

/// How far the view is behind what is stored, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    pub ms: u64,
    /// The maximum since it was last live.
    pub most_ms: u64,
}

/// State of a watcher's link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchState {
    Connecting,
    /// The samples that come are history. How far behind they are is not known at first.
    CatchingUp(Option<Behind>),
    /// At least one source is live, and none is behind.
    Live,
    /// Connected and up to date; no source sends anything now.
    Quiet,
    /// Reconnects automatically and continues from where it was.
    Offline {
        retry_in_ms: u32,
        /// What keeps it from the relay, if that is known.
        trouble: Option<Trouble>,
    },
    /// The session is over, or the relay refused permanently.
    Ended(CloseCode),
}

#[derive(Clone, Debug, PartialEq)]
pub enum WatchEvent {
    State(WatchState),
    /// What the newest sample of a source is, while connected; comes before the samples that it is about.
    Pace {
        source: SourceName,
        pace: SourcePace,
    },
    /// In order of seq within the source, each sample once, even across reconnects.
    Samples {
        source: SourceName,
        samples: Vec<Sample>,
    },
    /// Sources and watchers connected now, including this one.
    Presence {
        sources: Vec<SourceName>,
        watchers: u64,
    },
    Session {
        status: SessionStatus,
    },
}
