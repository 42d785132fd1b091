//! What a run reads: a video that plays, or one picture.

use futures_util::future::{FutureExt, LocalBoxFuture};

use super::source::{Facing, SourceChoice};
use crate::browser::Bitmap;
use crate::browser::picture::{self, PICTURE_SIDE, Picture};
use crate::browser::video::VideoSource;
use crate::faults::SourceFault;

/// Longer side at which a video is analysed, pixels: twice what the larger detector takes, so that a face that
/// it finds still fills the expression model's input at about a fifth of the frame's width.
const VIDEO_SIDE: u32 = 640;

#[derive(Debug)]
pub(crate) enum Media {
    Video(VideoSource),
    Picture(Picture),
}

#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) media: Media,
    pub(crate) mirrored: bool,
}

impl Input {
    pub(crate) async fn open(choice: &SourceChoice) -> Result<Self, SourceFault> {
        let media = match choice {
            SourceChoice::Camera(camera) => Media::Video(VideoSource::camera(camera).await?),
            SourceChoice::VideoFile(file) => Media::Video(VideoSource::file(file).await?),
            SourceChoice::Demo { url } => Media::Video(VideoSource::demo(url).await?),
            SourceChoice::Video(video) => Media::Video(VideoSource::foreign(video).await?),
            SourceChoice::Stream(stream) => Media::Video(VideoSource::stream(stream).await?),
            SourceChoice::Picture(file) => Media::Picture(picture::read(file).await?),
        };
        let mirrored = match (choice, &media) {
            (SourceChoice::Camera(camera), Media::Video(video)) => {
                video.device().1.unwrap_or(camera.facing) == Facing::User
            }
            _ => false,
        };
        Ok(Self { media, mirrored })
    }

    pub(crate) fn size(&self) -> (u32, u32) {
        match &self.media {
            Media::Video(video) => video.size(),
            Media::Picture(picture) => (picture.width, picture.height),
        }
    }

    pub(crate) fn long_side(&self) -> u32 {
        match &self.media {
            Media::Video(_) => VIDEO_SIDE,
            Media::Picture(_) => PICTURE_SIDE,
        }
    }

    pub(crate) fn bitmap(&self) -> LocalBoxFuture<'static, Result<Bitmap, String>> {
        match &self.media {
            Media::Video(video) => video.grab().boxed_local(),
            Media::Picture(picture) => {
                let bitmap = picture.bitmap.clone();
                async move { Ok(bitmap) }.boxed_local()
            }
        }
    }
}
