//! Why a picture or a frame has no result. Printed after its name.

use std::io;

use mien_models::picture::PictureError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error(
        "is a film: ffmpeg makes pictures of it, as in ffmpeg -i FILM -vf fps=10 -f image2pipe -c:v ppm - | \
         mien-analyze --fps 10 -"
    )]
    Film,
    #[error(transparent)]
    Picture(PictureError),
    #[error("ends too early")]
    CutOff,
    #[error("is damaged: {0}")]
    Garbled(&'static str),
    #[error("is too large: more than {} MB", MAX_FRAME_BYTES / 1_000_000)]
    TooLong,
    #[error("is neither PPM nor JPEG, as ffmpeg writes them with -f image2pipe and -c:v ppm or -c:v mjpeg")]
    NoFrame,
    #[error("cannot be read: {0}")]
    Unread(#[source] io::Error),
}

/// The longest JPEG of a stream: more than the largest picture has in good quality, and what each thread may hold.
pub(crate) const MAX_FRAME_BYTES: usize = 100_000_000;

impl From<PictureError> for Fault {
    fn from(error: PictureError) -> Self {
        if matches!(error, PictureError::Film) { Self::Film } else { Self::Picture(error) }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof { Self::CutOff } else { Self::Unread(error) }
    }
}

impl Fault {
    /// Some decoders end their messages with a newline.
    pub(crate) fn line(&self) -> String {
        self.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
