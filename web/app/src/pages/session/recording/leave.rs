//! What happens when the page of a recording is left.

use leptos::prelude::*;

use super::phase::Phase;
use super::state::Recording;
use super::status::is_in_memory;
use crate::saved;

/// A person who leaves the page with the camera on finds it off when they come back: their consent was to what they
/// saw then. A reload does not leave the page.
pub(crate) fn pause_when_left(recording: Recording) {
    on_cleanup(move || {
        if let Some(Phase::Opening(_) | Phase::Live) = recording.phase.try_get_untracked() {
            saved::save_paused(recording.session(), true);
        }
    });
}

/// Asks the person before the only copy of samples is lost with the page.
pub(crate) fn confirm_only_copy(recording: Recording) {
    recording.router.confirm_leaving(move || {
        let has_only_copy = recording.recorder_status.with_untracked(|status| {
            status.as_ref().is_some_and(|status| status.pending > 0 && is_in_memory(status))
        });
        (has_only_copy && recording.recorder.with_value(Option::is_some))
            .then_some("Samples that are not stored yet are only in this page. Leave it and lose them?")
    });
}
