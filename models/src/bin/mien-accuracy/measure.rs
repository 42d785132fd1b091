//! Measures over answers. Pure.

use std::collections::BTreeMap;

use mien_shared::{Expression, Scores};
use serde::Serialize;

const BINS: usize = 10;
/// Minimum confidences at which answers are counted, for the curve of coverage against accuracy.
const THRESHOLDS: [f32; 8] = [0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/// What was read of one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) expected: Expression,
    /// `None` if no face was found.
    pub(crate) read: Option<Read>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Read {
    pub(crate) scores: Scores,
    /// The label that a user sees; `None` if the analyser abstains.
    pub(crate) label: Option<Expression>,
}

impl Outcome {
    /// Judged by the likeliest expression, whatever its confidence.
    pub(crate) fn is_right(&self) -> bool {
        self.read.is_some_and(|read| read.scores.top().0 == self.expected)
    }
}

/// All shares range from 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Measures {
    pub(crate) pictures: usize,
    /// Pictures in which a face was found.
    pub(crate) detection_rate: f64,
    /// The likeliest expression is the right one; a picture without a face is wrong.
    pub(crate) accuracy: f64,
    /// Mean over the expressions that occur in the pictures.
    pub(crate) macro_f1: f64,
    pub(crate) recall: BTreeMap<&'static str, f64>,
    /// Expected calibration error of the likeliest expression, over ten bins.
    pub(crate) calibration_error: f64,
    /// Pictures that got a label, and how many of these labels are right.
    pub(crate) labelled: Covered,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Covered {
    pub(crate) coverage: f64,
    /// `None` if nothing is covered.
    pub(crate) accuracy: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct FromConfidence {
    pub(crate) from: f32,
    #[serde(flatten)]
    pub(crate) covered: Covered,
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl Measures {
    pub(crate) fn of(outcomes: &[Outcome]) -> Self {
        let confusion = confusion(outcomes);
        let mut recall = BTreeMap::new();
        let mut f1 = Vec::new();
        for expected in Expression::ALL {
            let row = &confusion[expected.index()];
            let all: usize = row.iter().sum();
            if all == 0 {
                continue;
            }
            let right = row[expected.index()];
            let claimed: usize = confusion.iter().map(|row| row[expected.index()]).sum();
            recall.insert(expected.name(), share(right, all));
            f1.push(share(2 * right, all + claimed));
        }
        let found = outcomes.iter().filter(|outcome| outcome.read.is_some()).count();
        let label = |outcome: &Outcome| outcome.read.and_then(|read| read.label);
        let labelled = outcomes.iter().filter_map(|outcome| Some(label(outcome)? == outcome.expected));
        Self {
            pictures: outcomes.len(),
            detection_rate: share(found, outcomes.len()),
            accuracy: share(outcomes.iter().filter(|outcome| outcome.is_right()).count(), outcomes.len()),
            macro_f1: f1.iter().sum::<f64>() / f1.len().max(1) as f64,
            recall,
            calibration_error: calibration_error(outcomes),
            labelled: covered(labelled, outcomes.len()),
        }
    }
}

fn covered(right: impl Iterator<Item = bool>, of: usize) -> Covered {
    let (mut answers, mut correct) = (0, 0);
    for right in right {
        answers += 1;
        correct += usize::from(right);
    }
    Covered { coverage: share(answers, of), accuracy: (answers > 0).then(|| share(correct, answers)) }
}

/// How often each expression (row) was answered with each (column); the last column counts pictures without a face.
pub(crate) fn confusion(outcomes: &[Outcome]) -> [[usize; Expression::COUNT + 1]; Expression::COUNT] {
    let mut counts = [[0; Expression::COUNT + 1]; Expression::COUNT];
    for outcome in outcomes {
        let answer = outcome.read.map_or(Expression::COUNT, |read| read.scores.top().0.index());
        counts[outcome.expected.index()][answer] += 1;
    }
    counts
}

/// By confidence of the likeliest expression, regardless of quality.
pub(crate) fn curve(outcomes: &[Outcome]) -> Vec<FromConfidence> {
    let from = |from: f32| {
        let right = outcomes.iter().filter_map(move |outcome| {
            let (answer, confidence) = outcome.read?.scores.top();
            (confidence >= from).then_some(answer == outcome.expected)
        });
        FromConfidence { from, covered: covered(right, outcomes.len()) }
    };
    THRESHOLDS.into_iter().map(from).collect()
}

fn calibration_error(outcomes: &[Outcome]) -> f64 {
    let mut bins = [(0_usize, 0.0_f64, 0_usize); BINS];
    for outcome in outcomes {
        let Some(read) = outcome.read else { continue };
        let (answer, confidence) = read.scores.top();
        let (count, sum, right) = &mut bins[((confidence * BINS as f32) as usize).min(BINS - 1)];
        *count += 1;
        *sum += f64::from(confidence);
        *right += usize::from(answer == outcome.expected);
    }
    let found: usize = bins.iter().map(|bin| bin.0).sum();
    let gaps = bins.iter().map(|(_, sum, right)| (sum - *right as f64).abs());
    if found == 0 { 0.0 } else { gaps.sum::<f64>() / found as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(expected: Expression, answer: Expression, confidence: f32) -> Outcome {
        let mut scores = [(1.0 - confidence) / 6.0; 7];
        scores[answer.index()] = confidence;
        let label = (confidence >= 0.5).then_some(answer);
        Outcome { expected, read: Some(Read { scores: Scores(scores), label }) }
    }

    #[test]
    fn measures_are_those_of_the_textbook() {
        use Expression::{Happiness, Neutral, Sadness};
        let outcomes = [
            outcome(Neutral, Neutral, 0.9),
            outcome(Neutral, Neutral, 0.7),
            outcome(Happiness, Neutral, 0.6),
            outcome(Happiness, Happiness, 0.45),
            outcome(Neutral, Sadness, 0.8),
            Outcome { expected: Happiness, read: None },
        ];
        let measures = Measures::of(&outcomes);
        assert_eq!((measures.pictures, measures.accuracy), (6, 0.5));
        assert!((measures.detection_rate - 5.0 / 6.0).abs() < 1e-9);
        assert!((measures.recall["neutral"] - 2.0 / 3.0).abs() < 1e-9);
        assert!((measures.recall["happiness"] - 1.0 / 3.0).abs() < 1e-9);
        // F1: neutral 2·2/(3+3), happiness 2·1/(3+1); sadness is no class of these pictures.
        assert!((measures.macro_f1 - f64::midpoint(2.0 / 3.0, 0.5)).abs() < 1e-9);
        // |.9−1| + |.7−1| + |.6−0| + |.45−1| + |.8−0| over five
        assert!((measures.calibration_error - 2.35 / 5.0).abs() < 1e-6, "{}", measures.calibration_error);
        assert_eq!(measures.labelled, Covered { coverage: 4.0 / 6.0, accuracy: Some(0.5) });
        let half = curve(&outcomes)[3];
        assert_eq!((half.from, half.covered), (0.5, measures.labelled));
        assert_eq!(confusion(&outcomes)[Happiness.index()], [1, 1, 0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn nothing_measured_is_no_division_by_zero() {
        let none = Measures::of(&[]);
        assert_eq!((none.accuracy, none.macro_f1, none.calibration_error), (0.0, 0.0, 0.0));
        assert_eq!(none.labelled.accuracy, None);
    }
}
