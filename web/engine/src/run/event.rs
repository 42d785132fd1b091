//! A run: one source going through the pool.

use std::rc::Rc;

use mien_shared::{Face, Sample, Skipped};

use crate::browser::FrameImage;
use crate::clock::Captured;
use crate::faults::RunFault;
use crate::run::active::RunHandle;

/// What a run tells, in order of capture.
#[derive(Clone, Debug)]
pub enum RunEvent {
    Frame(AnalysedFrame),
    /// About once a second.
    Stats(RunStats),
    /// Whether pictures come, at each change; a run begins as one whose pictures do.
    SourceState(SourceState),
    Fault(RunFault),
    /// Nothing follows.
    Ended(EndReason),
}

/// Whether a source gives pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// They come, or come again.
    Playing,
    /// None has come for a while, though nobody paused the source and the page is seen. It goes on by itself:
    /// [`Self::Playing`] follows with the next picture, unless the run ends.
    Silent(Silence),
}

/// What gives no pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Silence {
    #[error("The camera gives no pictures; another program or the system may have taken it.")]
    Camera,
    /// An embedder's stream, or none at all in the embedder's element.
    #[error("The stream gives no pictures.")]
    Stream,
    #[error("The video stands still, as its data does not come.")]
    Video,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// [`Run::stop`], or the run was dropped, or its slot was cleared.
    Stopped,
    /// The file or picture is done.
    Finished,
    /// A newer source was asked for.
    Replaced,
    /// After a final fault.
    Failed,
}

/// One analysed frame. The image is for drawing; what leaves the page is made by [`Self::sample`] alone.
#[derive(Clone, Debug)]
pub struct AnalysedFrame {
    /// The very picture that was analysed, in display size.
    pub image: FrameImage,
    /// Of the source, in pixels.
    pub width: u32,
    pub height: u32,
    /// Capture time: `at` is what the sample says, and everything that takes time goes by `steady`.
    pub captured: Captured,
    /// Boxes are fractions of the frame, not mirrored.
    pub faces: Vec<Face>,
    /// Smaller faces beyond what a sample carries, which were found and not read.
    pub left_out: usize,
    /// Position in the file, milliseconds, where the frame came from one.
    pub media_ms: Option<u64>,
    /// Time since this run's last frame in which nothing was analysed.
    pub skipped: Vec<Skipped>,
    /// Whether to show the picture mirrored, as people expect of themselves.
    pub mirrored: bool,
}

impl AnalysedFrame {
    /// What leaves the page of it.
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

/// Figures over the last second or so.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunStats {
    /// Frames the source delivered, per second.
    pub camera_fps: f32,
    /// Frames that were analysed, per second.
    pub analysed_fps: f32,
    /// Frames of this run that a newer one replaced before a worker was free.
    pub skipped: u64,
    /// Median time from handing a frame to a worker to its answer, milliseconds.
    pub inference_ms: f32,
    /// Workers ready.
    pub workers: u32,
}

/// A running source. Dropping it stops the source and releases the camera.
#[derive(Debug)]
pub struct Run {
    pub(crate) handle: Rc<RunHandle>,
}

impl Run {
    /// Keeps the source open, but analyses nothing until [`Run::resume`].
    pub fn pause(&self) {
        self.handle.set_paused(true);
    }

    pub fn resume(&self) {
        self.handle.set_paused(false);
    }

    /// Id of the camera that is open, of those that [`crate::devices`] lists; `None` for other sources.
    pub fn camera(&self) -> Option<String> {
        self.handle.camera()
    }

    /// Ends the run and releases the camera before it returns.
    pub fn stop(self) {}
}

impl Drop for Run {
    fn drop(&mut self) {
        self.handle.end(EndReason::Stopped);
    }
}
