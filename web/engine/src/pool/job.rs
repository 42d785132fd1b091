//! What goes into the pool and what comes out. `T` is what the caller wants back with each answer.

use futures_util::future::{FutureExt, LocalBoxFuture};
use mien_models::{Candidate, Detection, Scope};

use crate::browser::{Bitmap, FrameImage};
use crate::faults::LoadFault;

/// A frame to analyse. Its picture is taken only once a worker is free, so that it is the newest.
pub(crate) struct Job<T> {
    pub(crate) tag: T,
    pub(crate) snapshot: Box<dyn FnOnce() -> Snapshot>,
}

/// The picture that shows now, and how it is to be analysed.
pub(crate) struct Snapshot {
    pub(crate) scope: Scope,
    pub(crate) long_side: u32,
    /// Where the faces of earlier frames are expected.
    pub(crate) expected: Vec<Candidate>,
    pub(crate) bitmap: LocalBoxFuture<'static, Result<Bitmap, String>>,
}

impl Snapshot {
    /// For a frame that no longer exists.
    pub(crate) fn missing(why: &'static str) -> Self {
        let bitmap = async move { Err(why.to_owned()) }.boxed_local();
        Self { scope: Scope::Near, long_side: 1, expected: Vec::new(), bitmap }
    }
}

pub(crate) struct Answer<T> {
    pub(crate) tag: T,
    pub(crate) scope: Scope,
    pub(crate) detections: Vec<Detection>,
    /// Smaller faces that were found and not read.
    pub(crate) left_out: usize,
    /// `None` if the worker did not hand it back.
    pub(crate) image: Option<FrameImage>,
    pub(crate) took_ms: f32,
}

pub(crate) enum PoolEvent<T> {
    /// A worker has its models.
    Ready,
    Answer(Answer<T>),
    /// Only this frame was lost.
    FrameFailed {
        tag: T,
        detail: String,
    },
    /// A worker died, with or without a frame, and starts again.
    Restarting {
        detail: String,
    },
    /// No worker is left.
    GaveUp {
        fault: LoadFault,
    },
}
