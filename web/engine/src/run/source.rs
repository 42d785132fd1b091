//! What can be analysed.

use crate::browser::{PickedFile, StreamHandle, VideoHandle};

/// Which way a phone's camera looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Facing {
    /// Towards the person who holds the device; shown mirrored.
    #[default]
    User,
    /// Away from that person.
    Environment,
}

/// Which camera to open. Without a device the browser chooses one that faces the asked way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CameraChoice {
    /// An id from [`crate::devices`]. Where that camera is gone or busy, another is tried.
    pub device_id: Option<String>,
    pub facing: Facing,
}

/// Where frames come from.
#[derive(Clone, Debug)]
pub enum SourceChoice {
    /// Opens the camera (the browser asks the person) and releases it when the run ends.
    Camera(CameraChoice),
    /// Plays a file that the person picked, once, without sound.
    VideoFile(PickedFile),
    /// One picture, analysed once at a higher resolution.
    Picture(PickedFile),
    /// Plays the built-in clip in a loop, for visitors without a camera.
    Demo { url: String },
    /// A video element that belongs to the embedder; it is neither started nor stopped.
    Video(VideoHandle),
    /// A stream that belongs to the embedder; its tracks are not stopped.
    Stream(StreamHandle),
}
