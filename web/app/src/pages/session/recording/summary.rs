//! What the relay has of a completed session.

use leptos::prelude::*;

use super::phase::{NoSummary, Phase};
use super::state::Recording;
use super::{history, unsent};
use crate::fault::sentences;
use crate::model::timeline::Timeline;
use crate::saved;

/// Shows the summary, or why there is none.
pub(crate) async fn show(recording: Recording) {
    saved::withdraw_consent(recording.session());
    unsent::count(recording).await;
    let summary = recording.saved().relay().summary(recording.session()).await;
    if let Ok(summary) = &summary
        && recording.signals.timeline.with_untracked(Timeline::is_empty)
    {
        let summary = summary.clone();
        recording.spawn(async move { history::load_end(recording, &summary).await });
    }
    recording.phase.set(Phase::Stopped(summary.map_err(|fault| NoSummary::NotLoaded(sentences(&fault)))));
}
