//! The source of a recording: opened, paused, changed and turned off. The session and its link stay in the meantime.

use leptos::prelude::*;
use mien_engine::{
    CameraChoice, EndReason, PickedFile, Run, RunEvent, RunFault, RunStats, SourceChoice, SourceRequest,
    SourceState,
};
use mien_shared::SkipReason;

use super::phase::Phase;
use super::state::Recording;
use super::{frames, link, neutral, notices};
use crate::analysis::NotStarted;
use crate::components::FaceAction;
use crate::fault::Fault;
use crate::model::cameras::name_of;
use crate::model::notice::{Change, Notice};
use crate::saved;

/// Opens the camera that was used last, or the browser's choice.
pub(crate) fn open_camera(recording: Recording) {
    let camera = CameraChoice { device_id: saved::camera(), ..CameraChoice::default() };
    open(recording, SourceChoice::Camera(camera));
}

/// Continues with another camera.
pub(crate) fn use_camera(recording: Recording, device_id: String) {
    // The present one goes off first: many phones open one camera at a time.
    turn_off(recording);
    let camera = CameraChoice { device_id: Some(device_id), ..CameraChoice::default() };
    run_from(recording, SourceChoice::Camera(camera), SkipReason::Stalled);
}

pub(crate) fn open_file(recording: Recording, file: PickedFile) {
    let choice = if file.is_picture() { SourceChoice::Picture(file) } else { SourceChoice::VideoFile(file) };
    open(recording, choice);
}

fn open(recording: Recording, source: SourceChoice) {
    turn_off(recording);
    let was_paused = saved::is_paused(recording.session());
    saved::save_paused(recording.session(), false);
    let gap_reason = if was_paused { SkipReason::Paused } else { SkipReason::Stalled };
    run_from(recording, source, gap_reason);
}

fn run_from(recording: Recording, source: SourceChoice, gap_reason: SkipReason) {
    let request = recording.analysis.request();
    recording.continuity.update_value(|continuity| continuity.gap_reason = Some(gap_reason));
    recording.phase.set(Phase::Opening("Loading the analysis into this browser"));
    neutral::expect_before(recording, &source);
    recording.spawn(async move {
        match start(recording, source, request).await {
            Ok(run) => {
                recording.open_camera.set(run.camera());
                neutral::begin(recording, &run);
                recording.run.set_value(Some(run));
                recording.phase.set(Phase::Live);
                if let Some(id) = recording.open_camera.get_untracked() {
                    saved::save_camera(&id);
                    recording.cameras.set(mien_engine::devices().await);
                }
            }
            Err(NotStarted::Fault(fault)) => fail(recording, fault),
            // The source that was requested instead is shown.
            Err(NotStarted::Replaced) => {}
        }
    });
}

/// If another source was requested in the meantime, this one is not opened, or is closed again.
async fn start(
    recording: Recording,
    source: SourceChoice,
    mut request: SourceRequest,
) -> Result<Run, NotStarted> {
    // The analysis first: if it cannot run, the camera need not open at all.
    let engine = request.wait(recording.analysis.engine()).await??;
    // A request that replaces this one needs the recorder too, so its opening is not given up.
    let recorder = link::recorder(recording).await;
    request.check()?;
    // The relay knows of more if this browser stores nothing, or another device recorded before.
    engine.continue_faces(
        recorder.next_face().max(recording.continuity.with_value(|continuity| continuity.next_face)),
    );
    recording.phase.set(Phase::Opening(match source {
        SourceChoice::Camera(_) => "Opening the camera; the browser may ask you",
        _ => "Opening the file",
    }));
    Ok(engine.open(request, source, move |event| on_event(recording, event)).await?)
}

fn on_event(recording: Recording, event: RunEvent) {
    match event {
        RunEvent::Frame(frame) => frames::take(recording, frame),
        RunEvent::Calibration(state) => neutral::follow(recording, state),
        RunEvent::Stats(stats) => {
            if stats.analysed_fps > 0.0 {
                notices::change(recording, Change::Analysed);
            }
            recording.signals.stats.try_set(stats);
        }
        RunEvent::Fault(fault) if fault.is_final() => {
            recording.defer(move || fail(recording, fault.into()));
        }
        RunEvent::SourceState(SourceState::Silent(silence)) => {
            notices::show(recording, Notice::SourceSilent { why: silence.to_string() });
        }
        RunEvent::SourceState(SourceState::Playing) => notices::change(recording, Change::Picture),
        RunEvent::Fault(fault @ RunFault::LandmarksLost { .. }) => {
            recording.analysis.landmarks_lost(fault.to_string());
        }
        RunEvent::Fault(RunFault::WorkerRestarting { .. }) => notices::show(recording, Notice::Restarting),
        RunEvent::Ended(EndReason::Finished) => {
            recording.signals.settle();
            notices::show(recording, Notice::FileFinished);
            recording.signals.stats.try_set(RunStats::default());
        }
        RunEvent::Ended(EndReason::Replaced) => recording.defer(move || {
            if matches!(recording.phase.get_untracked(), Phase::Live | Phase::Paused) {
                recording.run.set_value(None);
                saved::save_paused(recording.session(), true);
                recording.phase.set(Phase::Paused);
            }
        }),
        RunEvent::Fault(_) | RunEvent::Ended(_) => {}
    }
}

fn fail(recording: Recording, fault: Fault) {
    turn_off(recording);
    // The list of cameras may still have the one that is gone.
    let open = recording.open_camera.get_untracked();
    let name = recording.cameras.with_untracked(|cameras| name_of(cameras, open.as_deref()?));
    let fault = fault.of_camera(name.as_deref());
    // Holds the slot until the fault is shown, so that a source requested meanwhile supersedes it.
    let request = recording.analysis.request();
    recording.spawn(async move {
        let fault = fault.explained().await;
        let phase = recording.phase.get_untracked();
        let is_open = matches!(phase, Phase::Opening(_) | Phase::Live | Phase::Paused);
        if is_open && request.check().is_ok() {
            recording.phase.set(Phase::Fault(fault));
        }
    });
}

/// The recorder stays, and keeps sending.
pub(super) fn turn_off(recording: Recording) {
    recording.run.set_value(None);
    recording.analysis.withdraw();
    notices::change(recording, Change::Closed);
    recording.signals.stop();
}

/// Leaves a face out of what is recorded from now on, or brings one back.
pub(crate) fn change_face(recording: Recording, action: FaceAction) {
    recording.run.with_value(|run| run.iter().for_each(|run| action.apply(run, recording.signals)));
}

/// Pauses a live recording, resumes a paused one.
pub(crate) fn toggle_pause(recording: Recording) {
    let pauses = match recording.phase.get_untracked() {
        Phase::Live => true,
        Phase::Paused => false,
        _ => return,
    };
    if !pauses && recording.run.with_value(Option::is_none) {
        // Paused before a reload.
        return open_camera(recording);
    }
    saved::save_paused(recording.session(), pauses);
    if pauses {
        notices::change(recording, Change::Paused);
    }
    recording.run.with_value(|run| match run {
        Some(run) if pauses => run.pause(),
        Some(run) => run.resume(),
        None => {}
    });
    recording.phase.set(if pauses { Phase::Paused } else { Phase::Live });
}
