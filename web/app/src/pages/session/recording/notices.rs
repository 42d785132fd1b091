//! Shows and removes the lines beside the live view.

use leptos::prelude::*;

use super::state::Recording;
use crate::model::notice::{Change, Notice};

pub(super) fn show(recording: Recording, notice: Notice) {
    recording.notices.try_update(|notices| notices.show(notice));
}

/// Frames come many times a second and seldom change anything.
pub(super) fn change(recording: Recording, change: Change<'_>) {
    let remaining = recording.notices.try_with_untracked(|notices| {
        let mut remaining = notices.clone();
        remaining.change(change).then_some(remaining)
    });
    if let Some(Some(remaining)) = remaining {
        recording.notices.set(remaining);
    }
}

/// The person has read it.
pub(crate) fn close(recording: Recording, notice: &Notice) {
    recording.notices.update(|notices| notices.close(notice));
}
