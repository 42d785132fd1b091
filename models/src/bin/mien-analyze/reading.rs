//! One picture: decoded and analysed.

use anyhow::{Context as _, ensure};
use image::DynamicImage;
use mien_models::picture;
use mien_models::weights::{LANDMARKS, WEIGHTS};
use mien_models::{Analyzer, Detection, Frame, Landmarks, Neutral, NeutralLooks, Scope};

use crate::arguments::Arguments;
use crate::fault::Fault;
use crate::name;
use crate::source::Picture;

/// How pictures are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    cropped: bool,
    landmarks: Option<Landmarks>,
    neutral: Option<Neutral>,
}

/// What a picture shows.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Width and height in pixels, turned as its camera says.
    pub(crate) size: [u32; 2],
    /// All of them, largest first: how many fit into a sample is for the wire format to decide.
    pub(crate) faces: Vec<Detection>,
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

    pub(crate) fn read(self, analyzer: &mut Analyzer, picture: Picture) -> Result<Found, Fault> {
        let picture = match picture {
            Picture::OnDisk(path) => picture::read(&path)?,
            Picture::InMemory(bytes) => picture::decode(&bytes)?,
            Picture::Unusable(fault) => return Err(fault),
        };
        let mut found = self.faces(analyzer, picture)?;
        if let Some(neutral) = &self.neutral {
            for face in &mut found.faces {
                face.read_against(neutral);
            }
        }
        Ok(found)
    }

    fn faces(self, analyzer: &mut Analyzer, picture: DynamicImage) -> Result<Found, picture::PictureError> {
        let pixels = picture.into_rgba8();
        let frame = Frame::new(pixels.width(), pixels.height(), pixels.as_raw())?;
        let faces = if self.cropped {
            vec![analyzer.analyze_crop(&frame)?]
        } else {
            analyzer.analyze(&frame, Scope::Thorough, usize::MAX)?.faces
        };
        Ok(Found { size: [pixels.width(), pixels.height()], faces })
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
        let named = || name::shown(path);
        let picture = picture::read(path).with_context(named)?;
        let found = reading.faces(&mut analyzer, picture).with_context(named)?;
        let face = found.faces.first().context("has no face").with_context(named)?;
        ensure!(
            face.is_fit_for_neutral(),
            "{}: is no frontal, well lit look: quality {:.2} {:?}",
            named(),
            face.quality,
            face.doubts
        );
        if let Some(look) = face.look {
            looks.add(look);
        }
    }
    Ok(looks.neutral())
}
