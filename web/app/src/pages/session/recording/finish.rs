//! Stopping a recording: camera off, the last samples sent, the session completed.

use leptos::prelude::*;
use mien_engine::api::ApiFault;
use mien_engine::{LinkEnd, LinkState, RecorderStatus};
use mien_shared::api::PatchSession;
use mien_shared::problem::CloseCode;
use mien_shared::{Code, SessionStatus};

use super::phase::{NoSummary, Phase};
use super::state::Recording;
use super::{link, lookup, source, summary, tokens};
use crate::fault::sentences;

/// How long the last samples may take after the stop.
const SEND_MS: u32 = 15_000;

/// The camera is off at once; then everything is sent, the session completed and its summary shown.
pub(crate) fn stop(recording: Recording) {
    source::turn_off(recording);
    recording.phase.set(Phase::Finishing);
    recording.spawn(async move {
        let mut status = send_remaining(recording).await;
        let expired = LinkState::Ended(LinkEnd::Closed(CloseCode::Unauthorized));
        if status.pending > 0 && status.link == expired && tokens::renew(recording).await {
            status = send_remaining(recording).await;
        }
        if status.pending > 0 {
            // If the session has continued or ended without this page, trying again changes nothing.
            if let LinkState::Ended(end) = status.link
                && status.link != expired
            {
                return lookup::explain_end(recording, end).await;
            }
            // The recorder stays and keeps trying.
            recording.phase.set(Phase::Stopped(Err(NoSummary::Unsent)));
            return;
        }
        link::close(recording);
        match complete(recording).await {
            Ok(()) => summary::show(recording).await,
            Err(fault) => {
                recording.phase.set(Phase::Stopped(Err(NoSummary::NotCompleted(sentences(&fault)))));
            }
        }
    });
}

async fn send_remaining(recording: Recording) -> RecorderStatus {
    let recorder = link::recorder(recording).await;
    recorder.complete(SEND_MS).await;
    let status = recorder.status();
    recording.recorder_status.set(Some(status.clone()));
    status
}

async fn complete(recording: Recording) -> Result<(), ApiFault> {
    let patch = PatchSession { title: None, status: Some(SessionStatus::Completed) };
    let mut patched = recording.saved().relay().patch_session(recording.session(), &patch).await;
    let expired = matches!(&patched, Err(fault) if fault.code() == Some(Code::Unauthorized));
    if expired && tokens::renew(recording).await {
        patched = recording.saved().relay().patch_session(recording.session(), &patch).await;
    }
    patched.map(drop)
}
