//! What a run reports.

use mien_models::{Doubt, FaceOutline, RawFace};
use mien_shared::{Face, Sample, Skipped};

use super::calibration::CalibrationState;
use super::doubts::FaceDoubts;
use super::left_out::LeftOutFace;
use crate::browser::FrameImage;
use crate::clock::Captured;
use crate::faults::{RunFault, Silence};

/// What a run reports, in order of capture.
#[derive(Clone, Debug)]
pub enum RunEvent {
    Frame(AnalysedFrame),
    /// About once a second.
    Stats(RunStats),
    /// Reported at each change; a run starts out as playing.
    SourceState(SourceState),
    Fault(RunFault),
    /// While own neutral faces are taken: after each frame, and once at the end.
    Calibration(CalibrationState),
    /// Nothing follows.
    Ended(EndReason),
}

/// Whether a source delivers pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// It does, or does so again.
    Playing,
    /// No picture has come for a while, although the source is not paused.
    /// [`Self::Playing`] follows with the next picture, unless the run ends.
    Silent(Silence),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The run was stopped or dropped, or its slot was cleared.
    Stopped,
    /// The file has played to its end, or the picture was analysed.
    Finished,
    /// A newer source was requested.
    Replaced,
    /// After a final fault.
    Failed,
}

/// One analysed frame. The image is for drawing; what leaves the page is made by [`Self::sample`] alone.
#[derive(Clone, Debug)]
pub struct AnalysedFrame {
    /// Exactly the picture that was analysed, in display size.
    pub image: FrameImage,
    /// Of the source, in pixels.
    pub width: u32,
    pub height: u32,
    /// Capture time: `at` labels the sample, and everything that measures time uses `steady`.
    pub captured: Captured,
    /// Boxes are fractions of the frame, not mirrored.
    pub faces: Vec<Face>,
    /// The same faces as this frame alone shows them: scores before smoothing, and the detector's confidence.
    pub raw: Vec<RawFace>,
    /// The lines of those whose landmarks are known, for drawing; in fractions of the frame, not mirrored.
    pub outlines: Vec<FaceOutline>,
    /// Smaller faces that were found and not read, as a sample carries no more.
    pub left_out: usize,
    /// Faces that the person leaves out. They are not among `faces`.
    pub set_aside: Vec<LeftOutFace>,
    /// What makes faces of this frame hard to judge, of those of which something does.
    pub doubts: Vec<FaceDoubts>,
    /// Position in the file, milliseconds, if the frame came from one.
    pub media_ms: Option<u64>,
    /// Time since this run's previous frame in which nothing was analysed.
    pub skipped: Vec<Skipped>,
    /// Whether to show the picture mirrored, as people expect when they see themselves.
    pub mirrored: bool,
}

impl AnalysedFrame {
    /// What makes this face hard to judge.
    pub fn doubts_of(&self, id: u32) -> &[Doubt] {
        self.doubts.iter().find(|of| of.id == id).map_or(&[], |of| &of.doubts)
    }

    /// The part of it that leaves the page.
    pub fn sample(&self, seq: u64) -> Sample {
        Sample {
            seq,
            at: self.captured.at.0,
            media_ms: self.media_ms,
            skipped: self.skipped.clone(),
            faces: self.faces.clone(),
        }
    }
}

/// Figures of about the last second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunStats {
    /// Frames that the source delivered, per second.
    pub camera_fps: f32,
    /// Analysed frames per second.
    pub analysed_fps: f32,
    /// Frames of this run that a newer one replaced before a worker was free.
    pub skipped: u64,
    /// Median time from handing a frame to a worker to its answer, milliseconds.
    pub inference_ms: f32,
    /// Workers that are ready.
    pub workers: u32,
}
