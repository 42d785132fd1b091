//! What the relay has of this recording already, put back on the timeline after a reload.

use futures_util::future::select;
use gloo_timers::future::TimeoutFuture;
use mien_engine::api::Range;
use mien_engine::wall_now;
use mien_shared::SourceName;

use super::recording::Recording;

/// How far back: more than the timeline shows before anyone zooms out.
const BACK_MS: u64 = 5 * 60_000;
/// Samples asked for at once, the contract's most.
const PAGE: u32 = 1_000;
/// Five minutes at 30 samples a second.
const MAX_PAGES: usize = 9;
/// The camera waits for this, so it must not take long; what is not here by then stays a gap.
const PATIENCE_MS: u32 = 1_500;

/// Fills the timeline. Without an answer the recording goes on with an empty one.
pub(super) async fn load(recording: Recording) {
    select(Box::pin(pages(recording)), TimeoutFuture::new(PATIENCE_MS)).await;
}

async fn pages(recording: Recording) {
    let relay = recording.kept().relay();
    let from = wall_now().0.saturating_sub(BACK_MS);
    let range = Range { source: Some(SourceName::default()), from: Some(from), to: None };
    let mut cursor = None;
    for _ in 0..MAX_PAGES {
        let page = relay.samples(recording.session(), &range, PAGE, cursor.as_deref()).await;
        let Ok(page) = page else { return };
        let samples: Vec<_> = page.samples.into_iter().map(|stored| stored.sample).collect();
        recording.recall(&samples);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    // Longer ago: what is between is told all the same, and for that its begin is enough.
    if !recording.has_recalled() && recording.kept().started_ms < from {
        let Ok(summary) = relay.summary(recording.session()).await else { return };
        let main = summary.sources.iter().find(|source| source.source == SourceName::default());
        recording.recall_end(main.and_then(|source| source.last_at));
    }
}
