//! Who is in the pictures: groups by attribute, and where each person's neutral face is.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use mien_shared::Expression;

use crate::folder::Labelled;

/// A numeric attribute with more distinct values than this is split into thirds.
const NAMES_AT_MOST: usize = 8;

#[derive(Debug, Default)]
pub(crate) struct People {
    pub(crate) attributes: Vec<Attribute>,
    /// The person in each picture: a row of the table. Nothing is known about the other pictures.
    person: BTreeMap<usize, usize>,
    /// The picture of each person's neutral face.
    neutral: BTreeMap<usize, usize>,
}

#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    /// One per person.
    values: Vec<String>,
}

impl People {
    pub(crate) fn person(&self, picture: usize) -> Option<usize> {
        self.person.get(&picture).copied()
    }

    /// The picture with the neutral face of the person in this picture; `None` for that picture itself.
    pub(crate) fn neutral(&self, picture: usize) -> Option<usize> {
        let neutral = *self.neutral.get(self.person.get(&picture)?)?;
        (neutral != picture).then_some(neutral)
    }

    pub(crate) fn knows_a_neutral_face(&self) -> bool {
        !self.neutral.is_empty()
    }

    /// The pictures of each group.
    pub(crate) fn groups(&self, attribute: &Attribute) -> BTreeMap<String, Vec<usize>> {
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (&picture, &person) in &self.person {
            if let Some(value) = attribute.values.get(person).filter(|value| !value.is_empty()) {
                groups.entry(value.clone()).or_default().push(picture);
            }
        }
        groups
    }
}

pub(crate) fn read(file: &Path, pictures: &[Labelled]) -> anyhow::Result<People> {
    let mut table = csv::Reader::from_path(file)?;
    let columns: Vec<String> = table.headers()?.iter().map(str::to_owned).collect();
    let rows: Vec<csv::StringRecord> = table.records().collect::<Result<_, _>>()?;
    let mut people = People::default();
    for (person, row) in rows.iter().enumerate() {
        let key = row.get(0).unwrap_or_default();
        for picture in named(key, pictures) {
            people.person.insert(picture, person);
        }
    }
    for (column, name) in columns.iter().enumerate().skip(1) {
        let cells: Vec<&str> =
            rows.iter().map(|row| known(row.get(column).unwrap_or_default().trim())).collect();
        if name == "neutral" {
            for (person, cell) in cells.into_iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
                let picture = named(cell, pictures).into_iter().next();
                let picture = picture.with_context(|| format!("there is no picture {cell}"))?;
                people.neutral.insert(person, picture);
            }
        } else {
            people.attributes.push(Attribute { name: name.clone(), values: grouped(&cells) });
        }
    }
    if !columns.iter().any(|column| column == "neutral") {
        people.neutral = only_neutral(&people.person, pictures);
    }
    Ok(people)
}

/// The placeholders that tables use for "unknown" count as empty.
fn known(cell: &str) -> &str {
    if ["na", "n/a", "nan", "null", "unknown"].contains(&&*cell.to_lowercase()) { "" } else { cell }
}

/// The pictures that a key of the table refers to: one by its path, or all with that file name or stem.
fn named(key: &str, pictures: &[Labelled]) -> Vec<usize> {
    let places = |is: &dyn Fn(&Labelled) -> bool| -> Vec<usize> {
        pictures.iter().enumerate().filter(|(_, picture)| is(picture)).map(|(place, _)| place).collect()
    };
    let mut found = places(&|picture| picture.name == key);
    if found.is_empty() {
        found = places(&|picture| picture.file() == key || picture.stem() == key);
    }
    found
}

/// People who have exactly one neutral picture.
fn only_neutral(person: &BTreeMap<usize, usize>, pictures: &[Labelled]) -> BTreeMap<usize, usize> {
    let mut all: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (&picture, &person) in person {
        if pictures[picture].expected == Expression::Neutral {
            all.entry(person).or_default().push(picture);
        }
    }
    all.into_iter()
        .filter_map(|(person, all)| Some((person, *all.first().filter(|_| all.len() == 1)?)))
        .collect()
}

/// Names as they are; numbers with many distinct values by thirds of the people.
fn grouped(cells: &[&str]) -> Vec<String> {
    let numbers: Option<Vec<Option<f64>>> = cells
        .iter()
        .map(|cell| {
            if cell.is_empty() {
                Some(None)
            } else {
                cell.parse().ok().filter(|n: &f64| n.is_finite()).map(Some)
            }
        })
        .collect();
    let names = || cells.iter().map(|cell| (*cell).to_owned()).collect();
    let Some(numbers) = numbers else { return names() };
    let mut sorted: Vec<f64> = numbers.iter().flatten().copied().collect();
    sorted.sort_by(f64::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup();
    if distinct.len() <= NAMES_AT_MOST {
        return names();
    }
    let cuts = [sorted[sorted.len() / 3], sorted[sorted.len() * 2 / 3]];
    let third = |number: f64| cuts.iter().filter(|cut| number >= **cut).count();
    let range = |place: usize| {
        let within: Vec<f64> = sorted.iter().copied().filter(|number| third(*number) == place).collect();
        match within[..] {
            [first, .., last] => format!("{first}–{last}"),
            [only] => only.to_string(),
            [] => String::new(),
        }
    };
    numbers.iter().map(|number| number.map_or_else(String::new, |number| range(third(number)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_many_values_are_cut_into_thirds_and_names_are_kept() {
        let ages = ["18", "19", "20", "21", "", "30", "31", "32", "40", "50"];
        assert_eq!(
            grouped(&ages),
            ["18–20", "18–20", "18–20", "21–31", "", "21–31", "21–31", "32–50", "32–50", "32–50"]
        );
        assert_eq!(grouped(&["1", "2", "1"]), ["1", "2", "1"]);
        assert_eq!(grouped(&["a", "2"]), ["a", "2"]);
    }

    #[test]
    fn a_key_is_a_path_or_everything_of_that_name() {
        let picture = |name: &str, expected| Labelled { name: name.to_owned(), expected };
        let pictures = [
            picture("happy/001.jpg", Expression::Happiness),
            picture("neutral/001.jpg", Expression::Neutral),
            picture("neutral/002.jpg", Expression::Neutral),
        ];
        assert_eq!(named("001", &pictures), [0, 1]);
        assert_eq!(named("neutral/001.jpg", &pictures), [1]);
        let person = BTreeMap::from([(0, 7), (1, 7), (2, 8)]);
        let people =
            People { person: person.clone(), neutral: only_neutral(&person, &pictures), ..People::default() };
        assert_eq!([0, 1, 2].map(|picture| people.neutral(picture)), [Some(1), None, None]);
    }
}
