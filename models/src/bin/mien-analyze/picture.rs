//! One picture: read, turned as its EXIF data says, analysed.

use std::fs::File;
use std::io::{BufReader, Seek as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use image::{DynamicImage, ImageDecoder as _, ImageReader, Limits};
use mien_models::{Analyzer, Detection, Frame, Scope};
use mien_shared::Face;

use crate::output::Report;

/// The longest side that is read: beyond every camera, and a face in such a picture is long found in a smaller
/// copy. Decoding and filtering the largest allowed picture takes seconds, not minutes.
const MAX_SIDE: u32 = 16_384;
/// Pixels that are read: 400 MB as RGBA for each thread. A few bytes of PNG can claim far more.
const MAX_PIXELS: u64 = 100_000_000;

pub(crate) fn analyze(analyzer: &mut Analyzer, path: &Path, cropped: bool) -> anyhow::Result<Report> {
    let pixels = read(path)?.into_rgba8();
    let frame = Frame::new(pixels.width(), pixels.height(), pixels.as_raw())?;
    let detections =
        if cropped { vec![analyzer.analyze_crop(&frame)?] } else { analyzer.analyze(&frame, Scope::Full)? };
    let faces = (1..).zip(detections).map(|(id, detection)| face(id, &detection)).collect();
    Ok(Report { file: path.to_string_lossy().into_owned(), faces })
}

fn read(path: &Path) -> anyhow::Result<DynamicImage> {
    let mut file = BufReader::new(File::open(path).context("cannot be opened")?);
    if file.get_ref().metadata().is_ok_and(|data| data.is_dir()) {
        bail!("is a folder");
    }
    file.rewind().context("cannot be read")?;
    let reader = ImageReader::new(file).with_guessed_format().context("cannot be read")?;
    if reader.format().is_none() {
        bail!("is not a picture of a known kind (png, jpeg, webp, bmp, gif)");
    }
    let mut decoder = reader.into_decoder().context("is damaged")?;
    let (width, height) = decoder.dimensions();
    if width.max(height) > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        bail!(
            "is too large: {width}×{height} pixels; at most {MAX_SIDE} on a side and {} million in all are read",
            MAX_PIXELS / 1_000_000
        );
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    // Twice a picture of 16 bits a channel, which decoders may hold beside their own work.
    limits.max_alloc = Some(MAX_PIXELS * 16);
    decoder.set_limits(limits).context("is too large")?;
    let orientation = decoder.orientation().context("is damaged")?;
    let mut picture = DynamicImage::from_decoder(decoder).context("is damaged")?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn face(id: u32, detection: &Detection) -> Face {
    Face {
        id,
        bounds: detection.bounds,
        expression: detection.expression,
        scores: detection.scores,
        quality: Some(detection.quality),
    }
}
