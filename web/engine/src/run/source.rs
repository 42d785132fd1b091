//! What can be analysed.

use crate::browser::{CameraChoice, PickedFile, StreamHandle, VideoHandle};

/// Where frames come from.
#[derive(Clone, Debug)]
pub enum SourceChoice {
    /// Opens the camera (the browser asks the person) and releases it when the run ends.
    Camera(CameraChoice),
    /// Plays a file that the person picked, once, without sound.
    VideoFile(PickedFile),
    /// One picture, analysed once and at a higher resolution.
    Picture(PickedFile),
    /// Plays the built-in clip in a loop, for visitors without a camera.
    Demo { url: String },
    /// A video element that belongs to the embedder; it is neither started nor stopped.
    Video(VideoHandle),
    /// A stream that belongs to the embedder; its tracks are not stopped.
    Stream(StreamHandle),
}
