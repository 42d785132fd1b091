//! What a run reads: a video that plays, or one picture.

use futures_util::future::{FutureExt, LocalBoxFuture};

use super::source::SourceChoice;
use crate::browser::picture::{self, PICTURE_SIDE, Picture};
use crate::browser::video::{VideoEnd, VideoSource};
use crate::browser::{Bitmap, Facing};
use crate::faults::{Silence, SourceFault};

/// Longer side at which a video is analysed, pixels: twice the larger detector's input, so that a face of about a fifth
/// of the frame's width still fills the input of the expression model.
const VIDEO_SIDE: u32 = 640;

#[derive(Debug)]
pub(super) enum Media {
    Video(VideoSource),
    Picture(Picture),
}

#[derive(Debug)]
pub(super) struct Input {
    pub(super) media: Media,
    pub(super) mirrored: bool,
}

impl Input {
    pub(super) async fn open(choice: &SourceChoice) -> Result<Self, SourceFault> {
        let media = match choice {
            SourceChoice::Camera(camera) => Media::Video(VideoSource::open_camera(camera).await?),
            SourceChoice::VideoFile(file) => Media::Video(VideoSource::file(file).await?),
            SourceChoice::Demo { url } => Media::Video(VideoSource::demo(url).await?),
            SourceChoice::Video(video) => Media::Video(VideoSource::foreign(video).await?),
            SourceChoice::Stream(stream) => Media::Video(VideoSource::stream(stream).await?),
            SourceChoice::Picture(file) => Media::Picture(picture::read(file).await?),
        };
        let mirrored = match (choice, &media) {
            (SourceChoice::Camera(camera), Media::Video(video)) => {
                video.camera().and_then(|open| open.facing).unwrap_or(camera.facing) == Facing::User
            }
            _ => false,
        };
        Ok(Self { media, mirrored })
    }

    pub(super) fn video(&self) -> Option<&VideoSource> {
        match &self.media {
            Media::Video(video) => Some(video),
            Media::Picture(_) => None,
        }
    }

    /// Why a source that has not simply finished is gone.
    pub(super) fn fault_of(&self, end: VideoEnd) -> SourceFault {
        match (end, self.video()) {
            (VideoEnd::Broken, Some(video)) => video.broken(),
            (VideoEnd::Broken, None) => SourceFault::UnreadableVideo,
            (_, Some(video)) if video.silence() == Silence::Camera => SourceFault::Unplugged,
            _ => SourceFault::StreamEnded,
        }
    }

    pub(super) fn size(&self) -> (u32, u32) {
        match &self.media {
            Media::Video(video) => video.size(),
            Media::Picture(picture) => (picture.width, picture.height),
        }
    }

    pub(super) fn long_side(&self) -> u32 {
        match &self.media {
            Media::Video(_) => VIDEO_SIDE,
            Media::Picture(_) => PICTURE_SIDE,
        }
    }

    pub(super) fn bitmap(&self) -> LocalBoxFuture<'static, Result<Bitmap, String>> {
        match &self.media {
            Media::Video(video) => video.grab().boxed_local(),
            Media::Picture(picture) => {
                let bitmap = picture.bitmap.clone();
                async move { Ok(bitmap) }.boxed_local()
            }
        }
    }
}
