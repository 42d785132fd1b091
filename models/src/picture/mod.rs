//! Picture files, for the command line tools: which ones are read, and their pixels, turned as their EXIF data says.

mod film;
mod kind;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Seek};
use std::path::Path;

use image::{DynamicImage, ImageDecoder as _, ImageError, ImageFormat, ImageReader, Limits};

use crate::image::FrameError;
#[cfg(feature = "inference")]
use crate::network::InferenceError;
pub use film::is_film;
pub use kind::{Kind, READ, promised};

/// The longest side that is read: larger than any camera's, and a face in such a picture can be found just as well in a
/// smaller copy. Decoding and filtering the largest allowed picture takes seconds, not minutes.
const MAX_SIDE: u32 = 16_384;
/// Maximum number of pixels: 400 MB as RGBA for each thread. A PNG of a few bytes can claim far more.
const MAX_PIXELS: u64 = 100_000_000;

/// Why a picture was not read. Printed after its name.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    #[error("cannot be opened: {0}")]
    Unopened(#[source] io::Error),
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    #[error("is neither file nor folder")]
    Special,
    #[error("is empty")]
    Empty,
    #[error("is not a picture of a kind that is known: {READ} are read")]
    Unknown,
    #[error("is a film and not a picture")]
    Film,
    #[error("is not supported: a picture of kind {0}; {READ} are read")]
    Unsupported(&'static str),
    /// The format is supported, but not every feature of it.
    #[error("is not supported: {0}")]
    Feature(#[source] ImageError),
    #[error("is damaged: {0}")]
    Damaged(#[source] ImageError),
    /// Its decoder panicked: a bug of the decoder, on a file that it should have refused.
    #[error("is damaged: its decoder gave up")]
    GaveUp,
    #[error(
        "is too large: {width}×{height} pixels; at most {MAX_SIDE} on a side and {} million in all are read",
        MAX_PIXELS / 1_000_000
    )]
    TooLarge { width: u32, height: u32 },
    #[error("is too large: {0}")]
    Memory(#[source] ImageError),
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[cfg(feature = "inference")]
    #[error(transparent)]
    Inference(#[from] InferenceError),
}

impl From<ImageError> for PictureError {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Unsupported(_) => Self::Feature(error),
            ImageError::Limits(_) => Self::Memory(error),
            // A file that ends too early is damaged; a failing disk says nothing about the file.
            ImageError::IoError(cause) if cause.kind() != io::ErrorKind::UnexpectedEof => {
                Self::Unreadable(cause)
            }
            error => Self::Damaged(error),
        }
    }
}

/// Reads a picture and turns it as its EXIF data says.
pub fn read(path: &Path) -> Result<DynamicImage, PictureError> {
    // Reading a pipe would block.
    if !path.metadata().map_err(PictureError::Unopened)?.is_file() {
        return Err(PictureError::Special);
    }
    let format = match Kind::of_file(path).map_err(PictureError::Unopened)? {
        Kind::Other if is_film(&kind::beginning(path).map_err(PictureError::Unopened)?) => {
            return Err(PictureError::Film);
        }
        kind => format(kind)?,
    };
    decoded(BufReader::new(File::open(path).map_err(PictureError::Unopened)?), format, MAX_PIXELS)
}

/// The same for a picture in memory, which has no name.
pub fn decode(bytes: &[u8]) -> Result<DynamicImage, PictureError> {
    decode_within(bytes, MAX_PIXELS)
}

/// The same, if it has no more than so many pixels.
pub fn decode_within(bytes: &[u8], most_pixels: u64) -> Result<DynamicImage, PictureError> {
    decoded(Cursor::new(bytes), format(Kind::of_bytes(bytes))?, most_pixels.min(MAX_PIXELS))
}

/// Whether a picture of this size is read.
pub fn check_size(width: u32, height: u32) -> Result<(), PictureError> {
    check_size_within(width, height, MAX_PIXELS)
}

fn check_size_within(width: u32, height: u32, most_pixels: u64) -> Result<(), PictureError> {
    if width.max(height) > MAX_SIDE || u64::from(width) * u64::from(height) > most_pixels {
        return Err(PictureError::TooLarge { width, height });
    }
    Ok(())
}

fn format(kind: Kind) -> Result<ImageFormat, PictureError> {
    match kind {
        Kind::Picture(format) => Ok(format),
        Kind::Unsupported(kind) => Err(PictureError::Unsupported(kind)),
        Kind::Empty => Err(PictureError::Empty),
        Kind::Other => Err(PictureError::Unknown),
    }
}

fn decoded(
    file: impl BufRead + Seek,
    format: ImageFormat,
    most_pixels: u64,
) -> Result<DynamicImage, PictureError> {
    let mut decoder = ImageReader::with_format(file, format).into_decoder()?;
    let (width, height) = decoder.dimensions();
    check_size_within(width, height, most_pixels)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    // Twice a picture with 16 bits per channel, which decoders may hold in addition to their own working memory.
    limits.max_alloc = Some(most_pixels * 16);
    decoder.set_limits(limits)?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}
