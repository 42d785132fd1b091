//! One picture: read and analysed.

use std::path::Path;

use mien_models::picture::{self, PictureError};
use mien_models::{Analyzer, Detection, Frame, Scope};
use mien_shared::Face;

use crate::output::Report;

pub(crate) fn analyze(analyzer: &mut Analyzer, path: &Path, cropped: bool) -> Result<Report, PictureError> {
    let pixels = picture::read(path)?.into_rgba8();
    let frame = Frame::new(pixels.width(), pixels.height(), pixels.as_raw())?;
    // All of them: how many fit a sample is the wire's business.
    let detections = if cropped {
        vec![analyzer.analyze_crop(&frame)?]
    } else {
        analyzer.analyze(&frame, Scope::Full, usize::MAX)?.faces
    };
    let faces = (1..).zip(detections).map(|(id, detection)| face(id, &detection)).collect();
    Ok(Report { file: path.to_string_lossy().into_owned(), faces })
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
