//! Samples that were not sent. Only the person may give them up.

use leptos::prelude::*;
use mien_shared::api::StoredSample;

use super::phase::Phase;
use super::state::Recording;
use super::{link, source};
use crate::fault::FaultKind;
use crate::model::route::Route;
use crate::saved;

/// Counts what is on the disk, for when there is no recorder to do so.
pub(super) async fn count(recording: Recording) {
    let unfinished = mien_engine::unfinished().await;
    let ours = unfinished.iter().filter(|unfinished| unfinished.session == recording.session());
    recording.unsent_on_disk.set(ours.map(|unfinished| unfinished.pending).sum());
}

/// Every sample that was not sent.
pub(crate) async fn samples(recording: Recording) -> Vec<StoredSample> {
    match recording.recorder.get_value() {
        Some(opening) => opening.await.unsent().await,
        None => mien_engine::unsent(recording.session()).await,
    }
}

/// The person has decided: what was not sent is deleted, and so is what this device knows of the session.
pub(crate) fn discard(recording: Recording) {
    let is_erased = recording
        .phase
        .with_untracked(|phase| matches!(phase, Phase::Fault(fault) if fault.kind == FaultKind::Erased));
    source::turn_off(recording);
    link::close(recording);
    if !is_erased {
        recording.phase.set(Phase::LookingUp);
    }
    recording.spawn(async move {
        mien_engine::discard(recording.session()).await;
        recording.recorder_status.set(None);
        recording.unsent_on_disk.set(0);
        if is_erased {
            saved::forget_erased(recording.session());
        } else {
            saved::forget(recording.session());
            recording.router.replace(Route::Home);
        }
    });
}
