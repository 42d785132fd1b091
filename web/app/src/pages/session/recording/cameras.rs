//! Which cameras this device has, while one is open.

use leptos::prelude::*;
use mien_engine::DevicesGuard;

use super::notices;
use super::state::Recording;
use crate::model::cameras::removed;
use crate::model::notice::{Change, Notice};

/// Keeps the list up to date, and names a camera that is unplugged, until the page is left.
pub(crate) fn follow(recording: Recording) {
    let guard = DevicesGuard::new(move || {
        if recording.open_camera.with_untracked(Option::is_none) {
            return;
        }
        recording.spawn(async move {
            let now = mien_engine::devices().await;
            let removed = recording.cameras.with_untracked(|before| removed(before, &now));
            for camera in &now {
                notices::change(recording, Change::Camera(&camera.label));
            }
            recording.cameras.set(now);
            // If it was the open one, its run reports that.
            if let Some((id, name)) = removed
                && recording.open_camera.get_untracked() != Some(id)
            {
                notices::show(recording, Notice::CameraGone { name });
            }
        });
    });
    let guard = StoredValue::new_local(Some(guard));
    on_cleanup(move || drop(guard.try_update_value(Option::take)));
}
