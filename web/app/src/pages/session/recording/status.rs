//! What views show of a recording. Everything here follows from the state and, called in a view, changes with it.

use leptos::prelude::*;
use mien_engine::{CameraDevice, LinkEnd, LinkState, LoadProgress, RecorderStatus, Trouble};

use super::phase::{NoSummary, Phase};
use super::state::Recording;
use crate::browser;
use crate::model::link::{Feed, LinkText};
use crate::model::notice::Notices;
use crate::model::refusal;
use crate::model::unsent::Unsent;
use crate::saved::SavedRecording;
use crate::source_signals::SourceSignals;

pub(crate) const LOOKING_UP: &str = "Looking up this session";

impl Recording {
    pub(crate) fn phase(self) -> ReadSignal<Phase> {
        self.phase.read_only()
    }

    pub(crate) fn recorder_status(self) -> ReadSignal<Option<RecorderStatus>> {
        self.recorder_status.read_only()
    }

    pub(crate) fn notices(self) -> ReadSignal<Notices> {
        self.notices.read_only()
    }

    pub(crate) fn bytes_sent(self) -> ReadSignal<u64> {
        self.bytes_sent.read_only()
    }

    pub(crate) fn cameras(self) -> ReadSignal<Vec<CameraDevice>> {
        self.cameras.read_only()
    }

    /// Id of the camera that is open.
    pub(crate) fn open_camera(self) -> ReadSignal<Option<String>> {
        self.open_camera.read_only()
    }

    pub(crate) fn signals(self) -> SourceSignals {
        self.signals
    }

    pub(crate) fn progress(self) -> Signal<Option<LoadProgress>> {
        self.analysis.progress()
    }

    pub(crate) fn name(self) -> String {
        self.saved.with_value(SavedRecording::name)
    }

    pub(crate) fn share_link(self) -> String {
        self.saved.with_value(SavedRecording::share_link)
    }

    /// When it was started, as a person reads it.
    pub(crate) fn started(self) -> String {
        browser::date_and_time(self.saved.with_value(|saved| saved.started_ms))
    }

    /// How many samples wait for the relay.
    pub(crate) fn pending(self) -> u64 {
        self.recorder_status
            .with(|status| status.as_ref().map_or_else(|| self.unsent_on_disk.get(), |status| status.pending))
    }

    /// The samples that wait for the relay, and where.
    pub(crate) fn unsent(self) -> Unsent {
        let in_memory = self.recorder_status.with(|status| status.as_ref().is_some_and(is_in_memory));
        Unsent { count: self.pending(), in_memory }
    }

    /// A sentence about the samples that wait; `None` if there are none.
    pub(crate) fn unsent_text(self) -> Option<String> {
        let unsent = self.unsent();
        let is_sending = self.recorder_status.with(|status| {
            let status = status.as_ref();
            status.is_some_and(|status| {
                status.trouble.is_none()
                    && !matches!(
                        status.link,
                        LinkState::Ended(LinkEnd::Closed(close)) if refusal::permanent_reason(close).is_some()
                    )
            })
        });
        let text = if is_sending { unsent.sending_text() } else { unsent.kept_text("Its") };
        (unsent.count > 0).then_some(text)
    }

    /// What keeps the link from the relay.
    pub(crate) fn trouble(self) -> Option<Trouble> {
        self.recorder_status.with(|status| status.as_ref().and_then(|status| status.trouble))
    }

    /// The link's state for the bar.
    pub(crate) fn link_text(self) -> LinkText {
        let feed = self.feed();
        self.recorder_status.with(|status| match status {
            Some(status) => LinkText::of(&status.link, status.trouble, feed, status.pending),
            None => LinkText::of(&LinkState::Connecting, None, feed, 0),
        })
    }

    /// What the stop has done.
    pub(crate) fn stopped_text(self) -> &'static str {
        // The last source may have been a file.
        if self.open_camera.with_untracked(Option::is_some) {
            "The camera is off"
        } else {
            "The recording has stopped"
        }
    }

    pub(crate) fn tab_title(self) -> String {
        let state = match self.phase.get() {
            Phase::LookingUp => LOOKING_UP,
            Phase::Consent => "Before the camera opens",
            Phase::Opening(_) => "Opening",
            Phase::Live if self.waits_for_neutral() => "Before the recording",
            Phase::Live => match self.feed() {
                Feed::Silent => "No pictures",
                Feed::Finished => "File finished",
                _ => "Recording",
            },
            Phase::Paused => "Paused",
            Phase::Finishing => "Sending the last samples",
            Phase::Stopped(Ok(_) | Err(NoSummary::NotLoaded(_))) => "Recorded",
            Phase::Stopped(Err(_)) => "Not closed yet",
            Phase::Fault(fault) => return fault.title.to_owned(),
        };
        format!("{state} · {}", self.name())
    }

    /// Whether nothing is recorded yet, although the camera is on.
    fn waits_for_neutral(self) -> bool {
        self.signals.neutral.with(|neutral| neutral.comes_first)
    }

    fn feed(self) -> Feed {
        match self.phase.get() {
            Phase::Live if self.waits_for_neutral() => Feed::Opening,
            Phase::Live => self.notices.with(Notices::feed).unwrap_or(Feed::Playing),
            Phase::Paused => Feed::Paused,
            _ => Feed::Opening,
        }
    }
}

/// Whether this page has the only copy of what waits.
pub(super) const fn is_in_memory(status: &RecorderStatus) -> bool {
    matches!(status.mode, mien_engine::StorageMode::Memory { .. })
}
