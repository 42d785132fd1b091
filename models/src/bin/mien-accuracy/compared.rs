//! The worker's answers compared with the native ones.

use std::fmt;

use mien_models::Detection;
use mien_shared::Expression;
use serde::Serialize;

use crate::answers::Answers;
use crate::folder::Labelled;
use crate::worker::{OfFile, WorkerAnswers};

/// The largest difference of a score that the contract allows between native and wasm.
const TOLERANCE: f32 = 1e-3;

#[derive(Debug, Serialize)]
pub(crate) struct Compared {
    /// From the same pixels.
    pixels: Differences,
    /// From the files, each decoded as the browser does.
    files: Differences,
    /// Files that the browser does not decode.
    undecoded: Vec<String>,
    /// Mean and largest difference between the browser's pixels and the native ones, 0 … 255, over the pictures that have
    /// the same size in both.
    pixel_mean: f64,
    pixel_most: f64,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct Differences {
    /// Pictures with a face in both.
    faces: usize,
    /// Largest difference of a score.
    score: f32,
    /// Largest difference of a side of the box, in fractions of the picture.
    bounds: f32,
    /// Pictures in which only one of the two finds a face.
    found_by_one: Vec<String>,
    other_label: Vec<String>,
    /// Labelled right by the worker, of all pictures.
    accuracy: f64,
}

impl Compared {
    pub(crate) fn of(pictures: &[Labelled], native: &Answers, worker: &WorkerAnswers) -> Self {
        let mut undecoded = Vec::new();
        let (mut pixel_mean, mut pixel_most, mut sizes) = (0.0, 0.0_f64, 0);
        let mut of_files: Vec<Option<&Detection>> = Vec::new();
        for (picture, answer) in pictures.iter().zip(&worker.of_files) {
            match answer {
                OfFile::Fault { fault } => {
                    undecoded.push(format!("{}: {fault}", picture.name));
                    of_files.push(None);
                }
                OfFile::Seen { face, mean, most } => {
                    of_files.push(face.as_deref());
                    if let (Some(mean), Some(most)) = (mean, most) {
                        pixel_mean += mean;
                        pixel_most = pixel_most.max(*most);
                        sizes += 1;
                    }
                }
            }
        }
        let of_pixels: Vec<_> = worker.of_pixels.iter().map(Option::as_ref).collect();
        Self {
            pixels: Differences::of(pictures, native, &of_pixels),
            files: Differences::of(pictures, native, &of_files),
            undecoded,
            pixel_mean: pixel_mean / f64::from(sizes.max(1)),
            pixel_most,
        }
    }

    /// Whether the inference is the same: files may differ as decoders do.
    pub(crate) fn is_equal(&self) -> bool {
        let Differences { score, found_by_one, other_label, .. } = &self.pixels;
        *score <= TOLERANCE && found_by_one.is_empty() && other_label.is_empty()
    }
}

impl Differences {
    fn of(pictures: &[Labelled], native: &Answers, worker: &[Option<&Detection>]) -> Self {
        let mut all = Self::default();
        let mut right = 0;
        for ((picture, native), worker) in pictures.iter().zip(native).zip(worker) {
            right += usize::from(worker.is_some_and(|face| face.scores.top().0 == picture.expected));
            match (native, worker) {
                (Some(native), Some(worker)) => all.add(picture, native, worker),
                (None, None) => {}
                (Some(_), None) | (None, Some(_)) => all.found_by_one.push(picture.name.clone()),
            }
        }
        all.accuracy = right as f64 / pictures.len().max(1) as f64;
        all
    }

    fn add(&mut self, picture: &Labelled, native: &Detection, worker: &Detection) {
        self.faces += 1;
        self.score = self.score.max(largest(native.scores.0, worker.scores.0));
        self.bounds = self.bounds.max(largest(native.bounds.into(), worker.bounds.into()));
        if native.expression != worker.expression {
            let name = |label: Option<Expression>| label.map_or("unsure", Expression::name);
            let labels = format!("{}, not {}", name(worker.expression), name(native.expression));
            self.other_label.push(format!("{}: {labels}", picture.name));
        }
    }
}

/// Infinite if one of the numbers is none.
fn largest<const N: usize>(a: [f32; N], b: [f32; N]) -> f32 {
    let differences = a.into_iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.map(|apart| if apart.is_nan() { f32::INFINITY } else { apart }).fold(0.0, f32::max)
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_equal() { "equal" } else { "NOT EQUAL" };
        writeln!(
            f,
            "The page’s worker and the native reading: {verdict} (a score may differ by {TOLERANCE:.0e})\n"
        )?;
        writeln!(f, "from        faces  score    box      found by one  other label  accuracy")?;
        for (name, differences) in [("the pixels", &self.pixels), ("the files", &self.files)] {
            let Differences { faces, score, bounds, found_by_one, other_label, accuracy } = differences;
            writeln!(
                f,
                "{name:<10}  {faces:<5}  {score:<7.1e}  {bounds:<7.1e}  {:<12}  {:<11}  {accuracy:.3}",
                found_by_one.len(),
                other_label.len()
            )?;
        }
        writeln!(
            f,
            "\nthe browser’s pixels differ from the native ones by {:.3} of 255 in the mean, {} at most",
            self.pixel_mean, self.pixel_most
        )?;
        let lists = [
            ("found by one", &self.pixels.found_by_one),
            ("other label", &self.pixels.other_label),
            ("found by one, from files", &self.files.found_by_one),
            ("other label, from files", &self.files.other_label),
            ("not decoded by the browser", &self.undecoded),
        ];
        for (what, names) in lists {
            for name in names {
                writeln!(f, "{what}: {name}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mien_shared::{FaceBox, Scores};

    fn face(neutral: f32) -> Detection {
        let rest = (1.0 - neutral) / 6.0;
        let scores = Scores([neutral, rest, rest, rest, rest, rest, rest]);
        Detection {
            bounds: FaceBox { left: 0.1, top: 0.1, width: 0.5, height: 0.5 },
            keypoints: [[0.5; 2]; 6],
            score: 0.9,
            scores,
            expression: (neutral >= 0.5).then_some(Expression::Neutral),
            quality: 1.0,
            doubts: Vec::new(),
            look: None,
        }
    }

    fn compared(native: Option<Detection>, worker: Option<Detection>) -> Compared {
        let pictures = [Labelled { name: "neutral/a.png".to_owned(), expected: Expression::Neutral }];
        let of_files = vec![OfFile::Fault { fault: "cannot be decoded".to_owned() }];
        Compared::of(&pictures, &vec![native], &WorkerAnswers { of_pixels: vec![worker], of_files })
    }

    #[test]
    fn equal_is_a_thousandth_and_the_same_label() {
        assert!(compared(Some(face(0.9)), Some(face(0.9005))).is_equal());
        assert!(!compared(Some(face(0.9)), Some(face(0.902))).is_equal());
        assert!(!compared(Some(face(0.4999)), Some(face(0.5001))).is_equal(), "another label");
        assert!(!compared(Some(face(0.9)), None).is_equal());
        assert!(!compared(Some(face(0.9)), Some(face(f32::NAN))).is_equal());
        assert!(compared(None, None).is_equal());
        let told = compared(Some(face(0.4999)), Some(face(0.5001))).to_string();
        assert!(told.contains("other label: neutral/a.png: neutral, not unsure"), "{told}");
        assert!(told.contains("not decoded by the browser: neutral/a.png: cannot be decoded"), "{told}");
    }
}
