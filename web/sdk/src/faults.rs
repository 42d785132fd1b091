//! Stable names of what can go wrong, for code; the text beside them is for people.

use mien_engine::{LoadFault, RunFault, SourceFault};

pub(crate) fn load_code(fault: &LoadFault) -> &'static str {
    match fault {
        LoadFault::SimdMissing => "simd_missing",
        LoadFault::NotBuilt { .. } => "not_built",
        LoadFault::ModelMissing { .. } => "model_missing",
        LoadFault::ModelDamaged { .. } => "model_damaged",
        LoadFault::Network { .. } => "network",
        LoadFault::Blocked { .. } => "blocked",
        LoadFault::WorkerFailed { .. } => "worker_failed",
    }
}

pub(crate) fn source_code(fault: &SourceFault) -> &'static str {
    match fault {
        SourceFault::VideoWithoutFrames => "video_without_frames",
        SourceFault::UnreadableVideo => "unreadable_video",
        SourceFault::CrossOrigin => "cross_origin",
        SourceFault::Replaced => "replaced",
        _ => "source_failed",
    }
}

pub(crate) fn run_code(fault: &RunFault) -> &'static str {
    match fault {
        RunFault::WorkerRestarting { .. } => "worker_restarting",
        RunFault::WorkersFailed { .. } => "worker_failed",
        RunFault::SourceLost(SourceFault::Unplugged | SourceFault::StreamEnded) => "source_lost",
        RunFault::SourceLost(source) => source_code(source),
        RunFault::FrameFailed { .. } => "frame_failed",
        RunFault::LandmarksLost { .. } => "landmarks_lost",
        RunFault::NothingAnalysed { .. } => "nothing_analysed",
    }
}
