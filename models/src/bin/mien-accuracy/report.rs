//! All measures of one folder: as a table for people, and as JSON.

use std::collections::BTreeMap;
use std::fmt;

use mien_models::Detection;
use mien_shared::Expression;
use serde::Serialize;

use crate::answers::{Answers, against_own_neutral};
use crate::compared::Compared;
use crate::folder::Labelled;
use crate::groups::{ByAttribute, by_attribute};
use crate::measure::{FromConfidence, Measures, Outcome, Read, confusion, curve};
use crate::people::People;

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) all: Measured,
    /// The same with the person's own neutral face known, over the pictures of those people who have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) own_neutral: Option<Measured>,
    /// How the answers, if they are those of the page's worker, differ from the native ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) worker: Option<Compared>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    #[serde(flatten)]
    pub(crate) measures: Measures,
    pub(crate) by_confidence: Vec<FromConfidence>,
    /// Rows are what the folder says, columns what was answered; the last column stands for no face.
    pub(crate) confusion: BTreeMap<&'static str, BTreeMap<&'static str, usize>>,
    pub(crate) by_attribute: Vec<ByAttribute>,
}

impl Report {
    pub(crate) fn of(
        pictures: &[Labelled],
        people: &People,
        answers: &Answers,
        worker: Option<Compared>,
    ) -> Self {
        let outcome = |place: usize, face: Option<&Detection>| {
            let read = face.map(|face| Read { scores: face.scores, label: face.expression });
            (place, Outcome { expected: pictures[place].expected, read })
        };
        let all = answers.iter().enumerate().map(|(place, face)| outcome(place, face.as_ref()));
        let own = against_own_neutral(people, answers);
        let own: BTreeMap<_, _> = own.iter().map(|(place, face)| outcome(*place, Some(face))).collect();
        Self {
            all: Measured::of(people, &all.collect()),
            own_neutral: (!own.is_empty()).then(|| Measured::of(people, &own)),
            worker,
        }
    }
}

impl Measured {
    fn of(people: &People, outcomes: &BTreeMap<usize, Outcome>) -> Self {
        let all: Vec<Outcome> = outcomes.values().copied().collect();
        let counts = confusion(&all);
        let row = |expected: Expression| {
            let row = counts[expected.index()];
            let mut named: BTreeMap<&'static str, usize> =
                Expression::ALL.into_iter().map(|answer| (answer.name(), row[answer.index()])).collect();
            named.insert("no face", row[Expression::COUNT]);
            (expected.name(), named)
        };
        let has = |expected: &Expression| counts[expected.index()].iter().sum::<usize>() > 0;
        Self {
            measures: Measures::of(&all),
            by_confidence: curve(&all),
            confusion: Expression::ALL.into_iter().filter(has).map(row).collect(),
            by_attribute: people
                .attributes
                .iter()
                .map(|attribute| by_attribute(people, attribute, outcomes))
                .filter(|by| by.groups.len() > 1)
                .collect(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.all.fmt(f)?;
        if let Some(own) = &self.own_neutral {
            writeln!(f, "\nWith the own neutral face, over the other pictures of the same people\n")?;
            own.fmt(f)?;
        }
        if let Some(worker) = &self.worker {
            write!(f, "\n{worker}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Measures { pictures, detection_rate, accuracy, macro_f1, calibration_error, labelled, .. } =
            &self.measures;
        writeln!(f, "pictures            {pictures}")?;
        writeln!(f, "detection rate      {detection_rate:.3}")?;
        writeln!(f, "accuracy            {accuracy:.3}")?;
        writeln!(f, "macro F1            {macro_f1:.3}")?;
        writeln!(f, "calibration error   {calibration_error:.3}")?;
        writeln!(f, "labelled            {:.3}, right {}", labelled.coverage, shown(labelled.accuracy))?;
        writeln!(f, "\nconfidence from  coverage  accuracy")?;
        for FromConfidence { from, covered } in &self.by_confidence {
            writeln!(f, "{from:<15.1}  {:<8.3}  {}", covered.coverage, shown(covered.accuracy))?;
        }
        let columns: Vec<&str> =
            Expression::ALL.map(Expression::name).into_iter().chain(["no face"]).collect();
        writeln!(f, "\n{:<11}  {}  recall", "shown", cells(&columns, |name| format!("{name:>9}")))?;
        for expected in Expression::ALL.map(Expression::name) {
            let Some(row) = self.confusion.get(expected) else { continue };
            let recall = self.measures.recall.get(expected).copied();
            writeln!(
                f,
                "{expected:<11}  {}  {}",
                cells(&columns, |name| format!("{:>9}", row[name])),
                shown(recall)
            )?;
        }
        for by in &self.by_attribute {
            by.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for ByAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Expression::ALL
            .map(Expression::name)
            .into_iter()
            .filter(|name| self.groups.values().any(|group| group.recall.contains_key(name)))
            .collect();
        write!(f, "\n{:<16}  pictures  found  accuracy  F1     calibration  labelled", self.attribute)?;
        writeln!(f, "  {}", cells(&names, |name| format!("{name:<9}")))?;
        for (name, group) in &self.groups {
            write!(
                f,
                "{name:<16}  {:<8}  {:.3}  {:<8.3}  {:.3}  {:<11.3}  {:<8.3}",
                group.pictures,
                group.detection_rate,
                group.accuracy,
                group.macro_f1,
                group.calibration_error,
                group.labelled.coverage
            )?;
            writeln!(
                f,
                "  {}",
                cells(&names, |name| format!("{:<9}", shown(group.recall.get(name).copied())))
            )?;
        }
        for gap in &self.gaps {
            writeln!(
                f,
                "largest gap in {:<9}  {:.3}, {} over {} (95 %: {:.3} to {:.3})",
                gap.measure, gap.difference, gap.best, gap.worst, gap.interval.low, gap.interval.high
            )?;
        }
        Ok(())
    }
}

/// Cells separated by a space.
fn cells(names: &[&str], cell: impl Fn(&str) -> String) -> String {
    names.iter().map(|name| cell(name)).collect::<Vec<_>>().join(" ")
}

fn shown(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{share:.3}"))
}
