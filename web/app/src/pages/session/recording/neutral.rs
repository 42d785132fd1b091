//! The own neutral face: taken at any time, or before anything is recorded if the person chose that.

use leptos::prelude::*;
use mien_engine::{CalibrationEnd, CalibrationState, Run, SourceChoice};

use super::phase::Phase;
use super::state::Recording;
use crate::components::{NeutralAct, NeutralControl};
use crate::saved;

/// The recording waits for it, if that was chosen and there is a camera to look at.
pub(super) fn expect_before(recording: Recording, source: &SourceChoice) {
    let is_chosen = saved::is_neutral_first(recording.session());
    wait(recording, is_chosen && matches!(source, SourceChoice::Camera(_)));
}

fn wait(recording: Recording, waits: bool) {
    recording.signals.neutral.update(|neutral| neutral.comes_first = waits);
}

/// Whether nothing is recorded until the own neutral face is taken, or the person skips that.
pub(super) fn is_awaited(recording: Recording) -> bool {
    recording.signals.neutral.with_untracked(|neutral| neutral.comes_first)
}

/// The source is open.
pub(super) fn begin(recording: Recording, run: &Run) {
    if is_awaited(recording) {
        run.calibrate();
    }
}

pub(super) fn follow(recording: Recording, state: CalibrationState) {
    let is_taken = matches!(state, CalibrationState::Ended(CalibrationEnd::Taken(_)));
    recording.signals.show_calibration(state);
    if is_taken {
        record(recording);
    }
}

/// From now on samples are recorded.
fn record(recording: Recording) {
    saved::save_neutral_first(recording.session(), false);
    wait(recording, false);
}

pub(crate) fn control(recording: Recording) -> NeutralControl {
    let act = move |act: NeutralAct| {
        recording.run.with_value(|run| {
            if let Some(run) = run {
                act.on(run);
            }
        });
        match act {
            NeutralAct::Skip => record(recording),
            NeutralAct::Reset => recording.signals.forget_neutral(),
            NeutralAct::Take | NeutralAct::Cancel => {}
        }
    };
    NeutralControl {
        is_possible: Signal::derive(move || recording.phase.get() == Phase::Live),
        act: Callback::new(act),
    }
}
