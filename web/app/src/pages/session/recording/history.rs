//! What the relay already has of this recording, put back on the timeline after a reload.

use futures_util::future::select;
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use mien_engine::api::Range;
use mien_engine::wall_now;
use mien_shared::api::Summary;
use mien_shared::{Sample, SourceName};

use super::state::Recording;
use crate::pages::samples;

/// How far back: more than the timeline shows before anyone zooms out.
const BACK_MS: u64 = 5 * 60_000;
/// Five minutes at 30 samples a second.
const MAX_PAGES: usize = 9;
/// The camera waits for this, so it must not take long; what is not here by then remains a gap.
const ANSWER_MS: u32 = 1_500;

/// Fills the timeline. Without an answer the recording continues with an empty one.
pub(super) async fn load(recording: Recording) {
    select(Box::pin(load_pages(recording)), TimeoutFuture::new(ANSWER_MS)).await;
}

async fn load_pages(recording: Recording) {
    let relay = recording.saved().relay();
    let from = wall_now().0.saturating_sub(BACK_MS);
    let range = Range { source: Some(SourceName::default()), from: Some(from), to: None };
    let pages = samples::for_each_page(&relay, recording.session(), &range, MAX_PAGES, |samples| {
        restore(recording, &samples);
    });
    if pages.await.is_err() {
        return;
    }
    // Longer ago: the gap since then is still reported, and for that its beginning is enough.
    if recording.continuity.with_value(|continuity| continuity.last_sample_ms.is_none())
        && recording.saved.with_value(|saved| saved.started_ms < from)
    {
        let Ok(summary) = relay.summary(recording.session()).await else { return };
        let main = summary.sources.iter().find(|source| source.source == SourceName::default());
        note_last(recording, main.and_then(|source| source.last_at));
    }
}

/// The end of a completed recording, for a timeline that has nothing yet. Without an answer it stays empty.
pub(super) async fn load_end(recording: Recording, summary: &Summary) {
    let main = summary.sources.iter().find(|source| source.source == SourceName::default());
    let Some(last) = main.and_then(|source| source.last_at) else { return };
    let from = last.saturating_sub(BACK_MS);
    let range = Range { source: Some(SourceName::default()), from: Some(from), to: None };
    let relay = recording.saved().relay();
    // What came before a failure is shown all the same.
    let _ = samples::for_each_page(&relay, recording.session(), &range, MAX_PAGES, |samples| {
        recording.signals.restore(&samples);
    })
    .await;
}

/// Samples of an earlier visit, in order of seq.
fn restore(recording: Recording, samples: &[Sample]) {
    recording.signals.restore(samples);
    let ids = samples.iter().flat_map(|sample| &sample.faces).map(|face| face.id.saturating_add(1));
    recording.continuity.update_value(|continuity| {
        continuity.next_face = ids.fold(continuity.next_face, u32::max);
    });
    note_last(recording, samples.last().map(|sample| sample.at));
}

fn note_last(recording: Recording, at_ms: Option<u64>) {
    recording.continuity.update_value(|continuity| {
        continuity.last_sample_ms = continuity.last_sample_ms.max(at_ms);
    });
}
