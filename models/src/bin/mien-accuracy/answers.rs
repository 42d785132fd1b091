//! The analyzer's answer for every picture.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::Context as _;
use mien_models::picture::{self, PictureError};
use mien_models::weights::{LANDMARKS, WEIGHTS};
use mien_models::{Analyzer, Detection, Frame, Landmarks, NeutralLooks, Scope};
use mien_shared::Expression;

use crate::arguments::Arguments;
use crate::folder::Labelled;
use crate::people::People;
use crate::progress::Progress;

/// The largest face of each picture, in the order of the pictures; `None` if it has no face.
pub(crate) type Answers = Vec<Option<Detection>>;

/// The same with the person's own neutral face known. No entry if there is no neutral face, or no face to read.
pub(crate) fn against_own_neutral(people: &People, answers: &Answers) -> BTreeMap<usize, Detection> {
    let read = |(picture, answer): (usize, &Option<Detection>)| {
        let mut looks = NeutralLooks::default();
        looks.add(answers[people.neutral(picture)?].as_ref()?.look?);
        let mut face = answer.clone()?;
        face.read_against(&looks.neutral()?);
        Some((picture, face))
    };
    answers.iter().enumerate().filter_map(read).collect()
}

pub(crate) fn read(pictures: &[Labelled], people: &People, arguments: &Arguments) -> anyhow::Result<Answers> {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let threads = arguments.threads.map_or(cores, std::num::NonZeroUsize::get).clamp(1, pictures.len());
    let next = AtomicUsize::new(0);
    let progress = Mutex::new(Progress::of("read", pictures.len()));
    let answers = Mutex::new(vec![None; pictures.len()]);
    let work = || -> anyhow::Result<()> {
        let mut analyzer = Analyzer::new_verified(&WEIGHTS).context("the built-in models cannot be used")?;
        if arguments.landmarks {
            analyzer.add_landmarks_verified(&LANDMARKS).context("the built-in models cannot be used")?;
            // Both faces of a comparison must be looked at in the same way.
            let all = people.knows_a_neutral_face();
            analyzer.look_at_landmarks_of(if all { Landmarks::All } else { Landmarks::InDoubt });
        }
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(picture) = pictures.get(place) else { return Ok(()) };
            if let Ok(mut progress) = progress.lock() {
                progress.at(place);
            }
            let answer = analyze(&mut analyzer, &arguments.folder.join(&picture.name), arguments.cropped)
                .with_context(|| picture.name.clone())?;
            if let Ok(mut answers) = answers.lock() {
                answers[place] = answer;
            }
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a picture's decoder gave up")))
        })
    })?;
    answers.into_inner().map_err(|_| anyhow::anyhow!("an analysis gave up"))
}

fn analyze(analyzer: &mut Analyzer, file: &Path, cropped: bool) -> Result<Option<Detection>, PictureError> {
    let pixels = picture::read(file)?.into_rgba8();
    let frame = Frame::new(pixels.width(), pixels.height(), pixels.as_raw())?;
    if cropped {
        return Ok(Some(analyzer.analyze_crop(&frame)?));
    }
    Ok(analyzer.analyze(&frame, Scope::Thorough, 1)?.faces.into_iter().next())
}

/// One row per picture.
pub(crate) fn write(file: &Path, pictures: &[Labelled], answers: &Answers) -> anyhow::Result<()> {
    let mut rows = csv::Writer::from_path(file)?;
    let columns = ["file", "expected", "expression"].into_iter().chain(Expression::ALL.map(Expression::name));
    rows.write_record(columns.chain(["quality"]))?;
    for (picture, answer) in pictures.iter().zip(answers) {
        let mut row = vec![picture.name.clone(), picture.expected.name().to_owned()];
        match answer {
            Some(face) => {
                row.push(face.expression.map_or_else(String::new, |expression| expression.name().to_owned()));
                row.extend(face.scores.0.map(|score| score.to_string()));
                row.push(face.quality.to_string());
            }
            None => row.extend(std::iter::repeat_n(String::new(), 2 + Expression::COUNT)),
        }
        rows.write_record(row)?;
    }
    rows.flush()?;
    Ok(())
}
