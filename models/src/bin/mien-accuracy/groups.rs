//! The same measures by group of people, and how far apart the groups are.

use std::collections::BTreeMap;

use mien_shared::Expression;
use serde::Serialize;

use crate::interval::{self, Interval};
use crate::measure::{Measures, Outcome};
use crate::people::{Attribute, People};

/// Groups with fewer pictures are not used to measure a gap.
const LEAST: usize = 10;

#[derive(Debug, Serialize)]
pub(crate) struct ByAttribute {
    pub(crate) attribute: String,
    pub(crate) groups: BTreeMap<String, Measures>,
    /// For accuracy, and for the recall of each expression.
    pub(crate) gaps: Vec<Gap>,
}

/// The largest difference between two groups in one measure.
#[derive(Debug, Serialize)]
pub(crate) struct Gap {
    pub(crate) measure: &'static str,
    pub(crate) best: String,
    pub(crate) worst: String,
    pub(crate) difference: f64,
    pub(crate) interval: Interval,
}

/// `outcomes` are by picture; missing ones belong to no group.
pub(crate) fn by_attribute(
    people: &People,
    attribute: &Attribute,
    outcomes: &BTreeMap<usize, Outcome>,
) -> ByAttribute {
    let mut groups: BTreeMap<String, Vec<usize>> = people.groups(attribute);
    groups.retain(|_, pictures| {
        pictures.retain(|picture| outcomes.contains_key(picture));
        !pictures.is_empty()
    });
    let measured = |pictures: &[usize]| -> Vec<Outcome> {
        pictures.iter().filter_map(|picture| outcomes.get(picture).copied()).collect()
    };
    let mut gaps = Vec::new();
    gaps.extend(gap("accuracy", &groups, people, outcomes, &|_| true));
    for expression in Expression::ALL {
        gaps.extend(gap(expression.name(), &groups, people, outcomes, &|outcome| {
            outcome.expected == expression
        }));
    }
    ByAttribute {
        attribute: attribute.name.clone(),
        groups: groups
            .iter()
            .map(|(name, pictures)| (name.clone(), Measures::of(&measured(pictures))))
            .collect(),
        gaps,
    }
}

/// The gap in the share of right answers among the pictures that `counts` accepts.
fn gap(
    measure: &'static str,
    groups: &BTreeMap<String, Vec<usize>>,
    people: &People,
    outcomes: &BTreeMap<usize, Outcome>,
    counts: &dyn Fn(&Outcome) -> bool,
) -> Option<Gap> {
    // Right and total, per person: a person's pictures are resampled together.
    let clusters = |pictures: &[usize]| -> Vec<(usize, usize)> {
        let mut by_person: BTreeMap<Option<usize>, (usize, usize)> = BTreeMap::new();
        for picture in pictures {
            if let Some(outcome) = outcomes.get(picture).filter(|outcome| counts(outcome)) {
                let (right, all) = by_person.entry(people.person(*picture)).or_default();
                *right += usize::from(outcome.is_right());
                *all += 1;
            }
        }
        by_person.into_values().collect()
    };
    let share = |clusters: &[(usize, usize)]| {
        let (right, all) = clusters.iter().fold((0, 0), |(right, all), (r, a)| (right + r, all + a));
        right as f64 / f64::from(u32::try_from(all).unwrap_or(u32::MAX))
    };
    let mut known: Vec<(&String, Vec<(usize, usize)>)> = groups
        .iter()
        .map(|(name, pictures)| (name, clusters(pictures)))
        .filter(|(_, clusters)| clusters.iter().map(|(_, all)| all).sum::<usize>() >= LEAST)
        .collect();
    known.sort_by(|(_, a), (_, b)| share(a).total_cmp(&share(b)));
    let [(worst, low), .., (best, high)] = &known[..] else { return None };
    Some(Gap {
        measure,
        best: (*best).clone(),
        worst: (*worst).clone(),
        difference: share(high) - share(low),
        interval: interval::of_difference(high, low),
    })
}
