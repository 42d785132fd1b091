//! The recording's link to the relay: its recorder, and what that reports.

use std::future::Future;
use std::pin::Pin;

use futures_util::FutureExt;
use leptos::prelude::*;
use mien_engine::{LinkState, Recorder, RecorderEvent};

use super::state::Recording;
use super::tokens;
use crate::saved::{self, SavedRecording};

/// The recorder: opened if there is none, reconnected if its link has ended.
pub(super) async fn recorder(recording: Recording) -> Recorder {
    if let Some(opening) = recording.recorder.get_value() {
        let recorder = opening.await;
        if recorder.resume(&recording.saved.with_value(|saved| saved.tokens.ingest.clone())) {
            return recorder;
        }
    }
    let bytes_sent = recording.bytes_sent.get_untracked();
    recording.continuity.update_value(|continuity| continuity.bytes_sent_before = bytes_sent);
    let access = recording.saved.with_value(SavedRecording::access);
    let open: Pin<Box<dyn Future<Output = Recorder>>> =
        Box::pin(Recorder::open(access, move |event| on_event(recording, event)));
    let opening = open.shared();
    recording.recorder.set_value(Some(opening.clone()));
    let recorder = opening.await;
    recording.recorder_status.set(Some(recorder.status()));
    recorder
}

pub(super) fn close(recording: Recording) {
    recording.recorder.set_value(None);
}

fn on_event(recording: Recording, event: RecorderEvent) {
    let status = match event {
        RecorderEvent::Status(status) => status,
        RecorderEvent::TokenExpiring => return tokens::renew_ahead(recording),
        RecorderEvent::Rejected { .. } => return,
    };
    let before = recording.recorder_status.try_get_untracked().flatten().map(|before| before.link);
    let end = match &status.link {
        // Only once: samples that gather after the end change the status again.
        LinkState::Ended(end) if before.as_ref() != Some(&status.link) => Some(*end),
        _ => None,
    };
    let before = recording.continuity.try_with_value(|continuity| continuity.bytes_sent_before);
    let bytes_sent = before.unwrap_or(0) + status.bytes_sent;
    recording.bytes_sent.try_set(bytes_sent);
    // At once: a page may be closed without a word, and another tab may continue.
    if let Some(session) = recording.saved.try_with_value(|saved| saved.session) {
        saved::save_bytes_sent(session, bytes_sent);
    }
    recording.recorder_status.try_set(Some(status));
    let is_open = recording.phase.try_with_untracked(|phase| !phase.is_after_stop()).unwrap_or(false);
    if let Some(end) = end.filter(|_| is_open) {
        recording.defer(move || (recording.on_link_end)(recording, end));
    }
}
