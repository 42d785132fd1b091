//! Markers on their way to the relay and back.

use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::Set;
use mien_engine::api::ApiFault;
use mien_shared::SourceName;
use mien_shared::api::CreateMarker;

use super::recording::Recording;
use crate::pages::instrument::NewMarker;

/// Pauses before each further try, milliseconds: five minutes in all.
const PAUSES_MS: [u32; 6] = [2_000, 5_000, 15_000, 40_000, 100_000, 140_000];

/// Stores a marker, trying again while the relay is away.
pub(super) async fn store(recording: Recording, marker: NewMarker) {
    let new = CreateMarker { at: marker.at_ms, label: marker.label, source: Some(SourceName::default()) };
    let (relay, session) = (recording.kept().relay(), recording.session());
    let mut pauses = PAUSES_MS.into_iter();
    loop {
        let Err(fault) = relay.create_marker(session, &new).await else { return };
        // A refusal would be the same again; only being too fast or away passes.
        let passes = match &fault {
            ApiFault::Problem(problem) => problem.status == 429 || problem.status >= 500,
            _ => true,
        };
        let Some(pause_ms) = pauses.next().filter(|_| passes) else {
            let words = format!("The marker “{}” is shown here but could not be stored: {fault}", new.label);
            recording.notice.set(Some(words));
            return;
        };
        TimeoutFuture::new(pause_ms).await;
    }
}

/// Puts the session's former markers back on the timeline after a reload. Without them the recording goes on.
pub(super) async fn load(recording: Recording) {
    let read = recording.kept().relay();
    let call = Box::pin(read.markers(recording.session()));
    let answer = select(call, TimeoutFuture::new(1_000)).await;
    if let Either::Left((Ok(list), _)) = answer {
        for marker in list.markers {
            recording.reading.flag(marker.at, marker.label);
        }
    }
}
