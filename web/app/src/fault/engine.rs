//! Faults of the engine: its loading, sources and runs.

use mien_engine::{LoadFault, RunFault, SourceFault};

use super::description::{Fault, KEPT, Remedy};
use super::kind::FaultKind;

impl From<LoadFault> for Fault {
    fn from(fault: LoadFault) -> Self {
        let text = fault.to_string();
        match fault {
            LoadFault::SimdMissing => Self::new(
                FaultKind::SimdMissing,
                "This browser is too old for the analysis",
                text,
                Remedy::Home,
            ),
            LoadFault::NotBuilt { .. } => {
                Self::new(FaultKind::NotBuilt, "The page is incomplete", text, Remedy::Reload)
            }
            LoadFault::Blocked { .. } => {
                Self::new(FaultKind::Blocked, "The analysis may not start here", text, Remedy::Home)
            }
            LoadFault::ModelMissing { .. } | LoadFault::ModelDamaged { .. } => {
                Self::new(FaultKind::Model, "A model cannot be used", text, Remedy::Reload)
            }
            LoadFault::Network { detail } => {
                Self::new(FaultKind::Network, "The analysis did not load", text, Remedy::Retry("Try again"))
                    .with(&detail)
            }
            LoadFault::WorkerFailed { .. } => {
                Self::new(FaultKind::Worker, "The analysis did not start", text, Remedy::Retry("Try again"))
            }
        }
    }
}

impl From<SourceFault> for Fault {
    fn from(fault: SourceFault) -> Self {
        let text = fault.to_string();
        let camera =
            |kind, title, text| Self::new(kind, title, text, Remedy::Retry("Try again")).or_other_source();
        match fault {
            SourceFault::Denied => camera(FaultKind::CameraDenied, "The camera stays closed", text),
            SourceFault::Absent => camera(FaultKind::NoCamera, "There is no camera", text),
            SourceFault::Busy => camera(FaultKind::CameraBusy, "The camera is busy", text),
            SourceFault::Unplugged => {
                camera(FaultKind::CameraUnplugged, "The camera is gone", format!("{text} {KEPT}"))
            }
            SourceFault::StreamEnded => {
                camera(FaultKind::StreamEnded, "The stream has ended", format!("{text} {KEPT}"))
            }
            SourceFault::Insecure => camera(FaultKind::Insecure, "This address cannot use the camera", text),
            SourceFault::UnreadablePicture => {
                Self::new(FaultKind::PictureUnreadable, "The picture cannot be read", text, Remedy::OtherFile)
            }
            SourceFault::PictureTooLarge { .. } => {
                Self::new(FaultKind::PictureTooLarge, "The picture is too large", text, Remedy::OtherFile)
            }
            SourceFault::UnreadableVideo => {
                Self::new(FaultKind::VideoUnreadable, "The video cannot be played", text, Remedy::OtherFile)
            }
            SourceFault::VideoWithoutFrames => {
                Self::new(FaultKind::VideoEmpty, "The video has no picture", text, Remedy::OtherFile)
            }
            SourceFault::DemoUnplayable => Self::new(
                FaultKind::DemoUnplayable,
                "The demo cannot be played",
                text,
                Remedy::Retry("Try again"),
            ),
            SourceFault::CrossOrigin => {
                Self::new(FaultKind::CrossOrigin, "The video may not be read", text, Remedy::OtherFile)
            }
            SourceFault::NoDemo => Self::new(FaultKind::NoDemo, "There is no demo here", text, Remedy::Home),
            SourceFault::Replaced => Self::new(
                FaultKind::Replaced,
                "Something else was opened",
                text,
                Remedy::Retry("Open it again"),
            ),
            SourceFault::Analysis { detail } => {
                Self::new(FaultKind::Worker, "The analysis did not start", text, Remedy::Retry("Try again"))
                    .with(&detail)
            }
            SourceFault::Other { detail } => {
                camera(FaultKind::Camera, "The camera did not open", text).with(&detail)
            }
        }
    }
}

impl From<RunFault> for Fault {
    fn from(fault: RunFault) -> Self {
        let text = fault.to_string();
        match fault {
            RunFault::SourceLost(source) => source.into(),
            RunFault::NothingAnalysed { detail } => {
                Self::new(FaultKind::Unanalysed, "The file could not be analysed", text, Remedy::OtherFile)
                    .with(&detail)
            }
            RunFault::LandmarksLost { detail } => {
                Self::new(FaultKind::Worker, "Landmarks are off again", text, Remedy::Retry("Try again"))
                    .with(&detail)
            }
            RunFault::WorkersFailed { detail }
            | RunFault::WorkerRestarting { detail }
            | RunFault::FrameFailed { detail } => Self::new(
                FaultKind::Worker,
                "The analysis has stopped",
                format!("{text} {KEPT}"),
                Remedy::Retry("Start it again"),
            )
            .with(&detail),
        }
    }
}
