//! Keeps the screen on while a recording is live: a phone that goes to sleep takes the camera from the page.

use leptos::prelude::*;

use super::phase::Phase;
use super::state::Recording;
use crate::browser::WakeLock;

/// Until the page is left.
pub(crate) fn keep_on(recording: Recording) {
    let lock = StoredValue::new_local(None::<WakeLock>);
    let update = move || {
        let is_live = recording.phase.get_untracked() == Phase::Live;
        lock.try_update_value(|lock| {
            // Every browser releases the screen when the page is hidden, so it is requested again.
            *lock = (is_live && !document().hidden()).then(WakeLock::request);
        });
    };
    Effect::new(move |_| {
        recording.phase.track();
        update();
    });
    let listener = window_event_listener_untyped("visibilitychange", move |_| update());
    on_cleanup(move || listener.remove());
}
