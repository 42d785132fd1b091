//! What the fake camera films: a still portrait, so that the position of the face is known.

use std::fs;
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, crop_imm, overlay, resize};
use image::{Rgb, RgbImage};
use mien_shared::FaceBox;

use mien_kit::parts;

pub const WIDTH: u32 = 640;
pub const HEIGHT: u32 = 480;
/// Chromium repeats the file; a second is enough.
const FRAMES: usize = 30;
const JPEG_QUALITY: u8 = 95;

/// The clip, the still picture it shows, and where its face is.
#[derive(Clone, Debug)]
pub struct Clip {
    /// Motion JPEG, as `--use-file-for-fake-video-capture` takes it.
    pub video: PathBuf,
    pub still: PathBuf,
    /// Brow to chin and cheek to cheek, measured by eye on the portrait.
    pub face: FaceBox,
}

impl Clip {
    /// The astronaut, upright and centred on grey.
    pub fn make(folder: &Path) -> Self {
        let portrait = image::open(parts::fixture("astronaut.png")).expect("the portrait").to_rgb8();
        let (still, video) = film(folder, "camera", &portrait);
        Self { video, still, face: in_frame([176.0, 72.0, 100.0, 118.0]) }
    }
}

/// Films somebody who looks at the camera and does not smile; the portrait in [`Clip`] does.
pub fn relaxed(folder: &Path) -> PathBuf {
    let portrait = image::open(parts::fixture("grace_hopper.jpg")).expect("the portrait").to_rgb8();
    let square = crop_imm(&portrait, 0, 0, portrait.width(), portrait.width()).to_image();
    film(folder, "relaxed", &square).1
}

/// A still picture and a clip of a square portrait.
fn film(folder: &Path, name: &str, portrait: &RgbImage) -> (PathBuf, PathBuf) {
    let portrait = resize(portrait, HEIGHT, HEIGHT, FilterType::Lanczos3);
    let mut frame = RgbImage::from_pixel(WIDTH, HEIGHT, Rgb([118, 118, 118]));
    overlay(&mut frame, &portrait, i64::from((WIDTH - HEIGHT) / 2), 0);

    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY).encode_image(&frame).expect("a JPEG");
    let still = folder.join(format!("{name}.jpg"));
    let video = folder.join(format!("{name}.mjpeg"));
    fs::write(&still, &jpeg).expect("room for the picture");
    fs::write(&video, jpeg.repeat(FRAMES)).expect("room for the clip");
    (still, video)
}

/// A film in which it is known when a face is visible. `tests/fixtures/make-film.sh` makes it.
#[derive(Clone, Copy, Debug)]
pub struct Film;

impl Film {
    pub const LENGTH_MS: u64 = 10_000;

    pub fn file() -> PathBuf {
        parts::fixture("film.webm")
    }

    /// Whether there is a face at this position; `None` near where it appears or disappears, as a tracker takes a few
    /// frames to decide.
    pub fn has_face(position_ms: u64) -> Option<bool> {
        match position_ms {
            ..1_950 | 4_700..6_950 | 9_700.. => Some(false),
            2_700..3_950 | 7_700..8_950 => Some(true),
            _ => None,
        }
    }
}

/// From pixels of the 512 × 512 portrait to fractions of the frame.
fn in_frame([left, top, width, height]: [f32; 4]) -> FaceBox {
    const PORTRAIT: f32 = 512.0;
    let scale = HEIGHT as f32 / PORTRAIT;
    let margin = (WIDTH - HEIGHT) as f32 / 2.0;
    FaceBox {
        left: (margin + left * scale) / WIDTH as f32,
        top: top * scale / HEIGHT as f32,
        width: width * scale / WIDTH as f32,
        height: height * scale / HEIGHT as f32,
    }
}
