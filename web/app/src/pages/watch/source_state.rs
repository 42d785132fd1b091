//! What a watching page knows about one source.

use leptos::prelude::*;
use mien_engine::SourcePace;
use mien_shared::Expression;

use crate::source_signals::SourceSignals;

/// What the newest sample of a source showed, for when it is no longer current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LastSample {
    /// By the source's clock, Unix milliseconds.
    pub at_ms: u64,
    pub shown: Shown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Nobody,
    /// The face that the figures are about; `None` if the analyser abstained.
    Face(Option<Expression>),
}

/// One source of the session.
#[derive(Clone, Copy, Debug)]
pub(super) struct WatchedSource {
    pub signals: SourceSignals,
    pub last_seq: RwSignal<u64>,
    pub pace: RwSignal<SourcePace>,
    pub last: RwSignal<Option<LastSample>>,
}

impl WatchedSource {
    pub(super) fn new() -> Self {
        Self {
            signals: SourceSignals::new(),
            last_seq: RwSignal::new(0),
            pace: RwSignal::new(SourcePace::Quiet),
            last: RwSignal::new(None),
        }
    }
}
