//! What is done with each analysed frame: shown and, unless the own neutral face comes first, recorded and joined to
//! what came before it.

use futures_util::future::Shared;
use leptos::prelude::*;
use mien_engine::AnalysedFrame;
use mien_shared::{SkipReason, Skipped};

use super::state::Recording;
use super::{neutral, notices};
use crate::browser;
use crate::model::format;
use crate::model::hidden::hidden_ms;
use crate::model::notice::{Change, Notice};

pub(super) fn take(recording: Recording, mut frame: AnalysedFrame) {
    notices::change(recording, Change::Picture);
    if neutral::is_awaited(recording) {
        return recording.signals.preview_frame(frame);
    }
    if let Some(ms) = hidden_ms(&frame.skipped) {
        report_hidden(recording, &frame, ms);
    }
    account_for_gap(recording, &mut frame);
    recording.recorder.try_with_value(|opening| {
        if let Some(recorder) = opening.as_ref().and_then(Shared::peek) {
            recorder.push(frame.sample(0));
        }
    });
    recording.signals.show_frame(frame);
}

/// The first frame of a run says what lay between it and the last frame of the previous run or visit: `skipped` counts
/// from the source's last sample, and a run knows only its own time.
fn account_for_gap(recording: Recording, frame: &mut AnalysedFrame) {
    let gap = recording.continuity.try_update_value(|continuity| {
        let last = continuity.last_sample_ms.replace(frame.captured.at.0);
        continuity.gap_reason.take().zip(last)
    });
    let Some(Some((reason, last))) = gap else { return };
    let steps = frame.skipped.iter().filter(|skipped| skipped.reason == SkipReason::ClockStep);
    let stepped: i64 = steps.map(|skipped| skipped.ms).sum();
    let ms = frame.captured.at.0.cast_signed() - last.cast_signed() - stepped;
    if ms > 0 {
        frame.skipped.push(Skipped { reason, ms });
    }
}

/// Says, once this tab is visible again, what it cost that it was not.
fn report_hidden(recording: Recording, frame: &AnalysedFrame, ms: u64) {
    let until = frame.captured.at.0;
    notices::show(
        recording,
        if frame.media_ms.is_some() {
            Notice::FileWaited { how_long: format::duration(ms) }
        } else {
            Notice::Unseen {
                from: browser::time_of_day(until.saturating_sub(ms)),
                to: browser::time_of_day(until),
            }
        },
    );
}
