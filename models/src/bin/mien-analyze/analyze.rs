//! One picture: read and analysed.

use std::path::Path;

use anyhow::{Context as _, ensure};
use mien_models::picture::{self, PictureError};
use mien_models::weights::{LANDMARKS, WEIGHTS};
use mien_models::{Analyzer, Detection, Frame, Landmarks, Neutral, NeutralLooks, Scope};
use mien_shared::Face;

use crate::arguments::Arguments;
use crate::output::Report;

/// How pictures are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    cropped: bool,
    landmarks: Option<Landmarks>,
    neutral: Option<Neutral>,
}

impl Reading {
    pub(crate) fn of(arguments: &Arguments, neutral: Option<Neutral>) -> Self {
        Self { cropped: arguments.cropped, landmarks: arguments.landmarks.then_some(Landmarks::All), neutral }
    }

    pub(crate) fn analyzer(self) -> anyhow::Result<Analyzer> {
        let load = || {
            let mut analyzer = Analyzer::new_verified(&WEIGHTS)?;
            if let Some(landmarks) = self.landmarks {
                analyzer.add_landmarks_verified(&LANDMARKS)?;
                analyzer.look_at_landmarks_of(landmarks);
            }
            Ok::<_, mien_models::ModelError>(analyzer)
        };
        load().context("the built-in models cannot be used")
    }

    pub(crate) fn picture(self, analyzer: &mut Analyzer, path: &Path) -> Result<Report, PictureError> {
        let mut detections = self.faces(analyzer, path)?;
        if let Some(neutral) = &self.neutral {
            for detection in &mut detections {
                detection.read_against(neutral);
            }
        }
        Ok(Report {
            file: path.to_string_lossy().into_owned(),
            faces: (1..).zip(&detections).map(|(id, detection)| face(id, detection)).collect(),
            neutral_looks: self.neutral.map(|neutral| neutral.looks()),
        })
    }

    /// All of them: how many fit into a sample is for the wire format to decide.
    fn faces(self, analyzer: &mut Analyzer, path: &Path) -> Result<Vec<Detection>, PictureError> {
        let pixels = picture::read(path)?.into_rgba8();
        let frame = Frame::new(pixels.width(), pixels.height(), pixels.as_raw())?;
        if self.cropped {
            return Ok(vec![analyzer.analyze_crop(&frame)?]);
        }
        Ok(analyzer.analyze(&frame, Scope::Thorough, usize::MAX)?.faces)
    }
}

/// The median of the pictures given as the neutral face; `None` if none were given.
pub(crate) fn neutral_face(arguments: &Arguments) -> anyhow::Result<Option<Neutral>> {
    if arguments.neutral.is_empty() {
        return Ok(None);
    }
    let reading = Reading::of(arguments, None);
    let mut analyzer = reading.analyzer()?;
    let mut looks = NeutralLooks::default();
    for path in &arguments.neutral {
        let named = || path.display().to_string();
        let faces = reading.faces(&mut analyzer, path).with_context(named)?;
        let face = faces.first().context("has no face").with_context(named)?;
        ensure!(
            face.is_fit_for_neutral(),
            "{}: is no frontal, well lit look: quality {:.2} {:?}",
            path.display(),
            face.quality,
            face.doubts
        );
        if let Some(look) = face.look {
            looks.add(look);
        }
    }
    Ok(looks.neutral())
}

fn face(id: u32, detection: &Detection) -> Face {
    Face {
        quality: Some(detection.quality),
        landmarks: detection.landmarks.as_ref().map(|face| Box::new(face.measured.clone())),
        ..Face::new(id, detection.bounds, detection.expression, detection.scores)
    }
}
