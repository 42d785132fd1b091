//! Where answers are written, told and counted.

use std::io;
use std::time::{Duration, Instant};

use mien_models::{Detection, Tracker};
use mien_shared::Face;

use crate::fan::Answer;
use crate::name;
use crate::output::Output;
use crate::rate::Rate;
use crate::reading::Found;
use crate::report::{Moment, Report, Seen};
use crate::source::Label;
use crate::tally::Tally;
use crate::told::Told;

pub(crate) struct Desk<'a> {
    output: Output,
    told: &'a mut Told,
    tally: &'a mut Tally,
    film: Film,
    neutral_looks: Option<u32>,
    done: usize,
    began: Instant,
}

/// What is known of a stream.
pub(crate) struct Film {
    pub(crate) name: String,
    pub(crate) rate: Option<Rate>,
    /// Follows its faces, which takes a rate.
    pub(crate) tracker: Option<Tracker>,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(
        output: Output,
        (told, tally): (&'a mut Told, &'a mut Tally),
        film: Film,
        neutral_looks: Option<u32>,
    ) -> Self {
        Self { output, told, tally, film, neutral_looks, done: 0, began: Instant::now() }
    }

    pub(crate) fn take(&mut self, (label, found): Answer) -> io::Result<()> {
        match found {
            Ok(found) => {
                self.tally.read += 1;
                self.tally.faces += found.faces.len();
                self.tally.nobody += usize::from(found.faces.is_empty());
                let report = self.report(&label, found);
                self.output.write(&report)?;
            }
            Err(fault) => {
                self.tally.faults += 1;
                self.told.line(&format!("{}: {}", self.named(&label), fault.line()));
            }
        }
        self.done += 1;
        let (tally, done, began) = (&self.tally, self.done, self.began);
        self.told.progress(|| tally.progress(done, began.elapsed()));
        Ok(())
    }

    /// How long it took.
    pub(crate) fn finish(self) -> io::Result<Duration> {
        self.told.clear();
        self.output.finish()?;
        Ok(self.began.elapsed())
    }

    fn named(&self, label: &Label) -> String {
        match label {
            Label::File(path) => name::shown(path),
            Label::Frame(number) => format!("{}: frame {number}", name::printable(&self.film.name)),
        }
    }

    fn report(&mut self, label: &Label, found: Found) -> Report {
        let Found { size, faces } = found;
        let (file, moment, faces) = match label {
            Label::File(path) => (name::text(path), None, in_order(&faces)),
            Label::Frame(frame) => {
                let (moment, faces) = self.film.moment(*frame, &faces);
                (self.film.name.clone(), Some(moment), faces)
            }
        };
        Report { file, moment, size, faces, neutral_looks: self.neutral_looks }
    }
}

impl Film {
    fn moment(&mut self, frame: u64, faces: &[Detection]) -> (Moment, Vec<Seen>) {
        let time = self.rate.map(|rate| rate.time_of(frame));
        let faces = match (&mut self.tracker, time) {
            (Some(tracker), Some(time)) => {
                let certain = |face: Face| Seen { certainty: certainty_at(&face, faces), face };
                tracker.update(time, faces).into_iter().map(certain).collect()
            }
            _ => in_order(faces),
        };
        // To the nearest, as the frames of a film at 29.97 a second are at no whole milliseconds.
        let media_ms = time.map(|time| (time.as_secs_f64() * 1e3).round() as u64);
        (Moment { frame, media_ms }, faces)
    }
}

/// Numbered from 1 in each picture.
fn in_order(faces: &[Detection]) -> Vec<Seen> {
    (1..)
        .zip(faces)
        .map(|(id, detection)| Seen { face: face(id, detection), certainty: certainty(detection) })
        .collect()
}

fn face(id: u32, detection: &Detection) -> Face {
    Face {
        quality: Some(detection.quality),
        ..Face::new(id, detection.bounds, detection.expression, detection.scores)
    }
}

/// A picture that was cropped to a face may have been read without a detector finding one.
fn certainty(detection: &Detection) -> Option<f32> {
    (detection.score > 0.0).then_some(detection.score)
}

/// The detection behind a face that is followed is the one where it is: its box only trails by a little.
fn certainty_at(face: &Face, detections: &[Detection]) -> Option<f32> {
    let overlap = |detection: &&Detection| detection.bounds.iou(&face.bounds);
    certainty(detections.iter().max_by(|a, b| overlap(a).total_cmp(&overlap(b)))?)
}
