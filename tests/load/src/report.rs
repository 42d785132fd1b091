//! The results, as a table for people and as JSON for machines.

use std::fmt;
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

/// Medians above this are a change that someone has to answer for.
const MOST_RATIO: f64 = 1.05;

/// One figure of one scenario.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) scenario: &'static str,
    pub(crate) what: String,
    /// The relay's store.
    pub(crate) store: &'static str,
    pub(crate) unit: &'static str,
    /// The bare server's, or the raw store's.
    pub(crate) floor: Option<f64>,
    pub(crate) relay: f64,
    pub(crate) musts: Vec<Must>,
}

/// The requirement on a figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Must {
    AtMost(f64),
    AtLeast(f64),
    /// At most this many times the floor.
    RatioAtMost(f64),
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) figures: Vec<Figure>,
}

impl Figure {
    pub(crate) fn ratio(&self) -> Option<f64> {
        self.floor.filter(|floor| *floor > 0.0).map(|floor| self.relay / floor)
    }

    /// `None` if nothing is required.
    fn met(&self) -> Option<bool> {
        let holds = |must: &Must| match *must {
            Must::AtMost(most) => self.relay <= most,
            Must::AtLeast(least) => self.relay >= least,
            Must::RatioAtMost(most) => self.ratio().is_some_and(|ratio| ratio <= most),
        };
        (!self.musts.is_empty()).then(|| self.musts.iter().all(holds))
    }
}

impl fmt::Display for Must {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(most) => write!(f, "≤ {most}"),
            Self::AtLeast(least) => write!(f, "≥ {least}"),
            Self::RatioAtMost(most) => write!(f, "≤ {most}×"),
        }
    }
}

/// One figure of two builds, over several pairs of turns.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Comparison {
    pub(crate) scenario: &'static str,
    pub(crate) what: &'static str,
    pub(crate) store: &'static str,
    pub(crate) unit: &'static str,
    /// Medians.
    pub(crate) old: f64,
    pub(crate) new: f64,
    /// New over old, of each pair.
    pub(crate) ratios: Vec<f64>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Comparisons(pub(crate) Vec<Comparison>);

impl Comparison {
    /// From the results of each turn, by figure: name, unit, value.
    #[expect(clippy::type_complexity, reason = "a list of pairs of turns, named where it is made")]
    pub(crate) fn of(
        scenario: &'static str,
        store: &'static str,
        pairs: &[(Vec<(&'static str, &'static str, f64)>, Vec<(&'static str, &'static str, f64)>)],
    ) -> Vec<Self> {
        let Some((first, _)) = pairs.first() else { return Vec::new() };
        let figure = |place: usize, what, unit| {
            let (old, new): (Vec<f64>, Vec<f64>) =
                pairs.iter().map(|(old, new)| (old[place].2, new[place].2)).unzip();
            let ratios = old.iter().zip(&new).map(|(old, new)| new / old).collect();
            Self { scenario, what, store, unit, old: median(&old), new: median(&new), ratios }
        };
        first.iter().enumerate().map(|(place, &(what, unit, _))| figure(place, what, unit)).collect()
    }

    fn ratio(&self) -> f64 {
        median(&self.ratios)
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

impl fmt::Display for Comparisons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<9} {:<42} {:<9} {:>10} {:>10} {:>7}  {:<13} ≤ {MOST_RATIO}×",
            "scenario", "what", "store", "old", "new", "median", "of all pairs"
        )?;
        for figure in &self.0 {
            let least = figure.ratios.iter().copied().fold(f64::INFINITY, f64::min);
            let most = figure.ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            writeln!(
                f,
                "{:<9} {:<42} {:<9} {:>10} {:>10} {:>7}  {:<13} {}",
                figure.scenario,
                format!("{}, {}", figure.what, figure.unit),
                figure.store,
                shown(figure.old),
                shown(figure.new),
                format!("{:.2}×", figure.ratio()),
                format!("{least:.2}–{most:.2}×"),
                if figure.ratio() <= MOST_RATIO { "yes" } else { "NO" },
            )?;
        }
        Ok(())
    }
}

pub(crate) fn write_json<T: Serialize>(figures: &T, file: &Path) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(figures)?;
    std::fs::write(file, text + "\n").with_context(|| format!("{} cannot be written", file.display()))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<9} {:<42} {:<9} {:>10} {:>10} {:>7}  {:<14} met",
            "scenario", "what", "store", "floor", "relay", "ratio", "must"
        )?;
        for figure in &self.figures {
            let musts: Vec<String> = figure.musts.iter().map(ToString::to_string).collect();
            let met = figure.met().map_or("", |met| if met { "yes" } else { "NO" });
            writeln!(
                f,
                "{:<9} {:<42} {:<9} {:>10} {:>10} {:>7}  {:<14} {met}",
                figure.scenario,
                format!("{}, {}", figure.what, figure.unit),
                figure.store,
                figure.floor.map_or_else(String::new, shown),
                shown(figure.relay),
                figure.ratio().map_or_else(String::new, |ratio| format!("{ratio:.2}×")),
                musts.join(", "),
            )?;
        }
        Ok(())
    }
}

/// Three significant digits.
fn shown(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(floor: Option<f64>, relay: f64, musts: &[Must]) -> Figure {
        let (scenario, what, store, unit) = ("s", "w".to_owned(), "sqlite", "µs");
        Figure { scenario, what, store, unit, floor, relay, musts: musts.to_vec() }
    }

    #[test]
    fn a_must_is_met_or_not() {
        let met = |floor, relay, musts: &[Must]| figure(floor, relay, musts).met();
        assert_eq!(met(None, 1.0, &[]), None);
        assert_eq!(met(None, 9.0, &[Must::AtMost(9.0)]), Some(true));
        assert_eq!(met(None, 9.1, &[Must::AtMost(9.0)]), Some(false));
        assert_eq!(met(None, 9.0, &[Must::AtLeast(9.1)]), Some(false));
        assert_eq!(met(Some(2.0), 8.0, &[Must::AtMost(9.0), Must::RatioAtMost(4.0)]), Some(true));
        assert_eq!(met(Some(2.0), 8.1, &[Must::AtMost(9.0), Must::RatioAtMost(4.0)]), Some(false));
        assert_eq!(met(None, 1.0, &[Must::RatioAtMost(4.0)]), Some(false), "no floor, no ratio");
    }

    #[test]
    fn the_table_has_a_line_a_figure() {
        let report = Report { figures: vec![figure(Some(2.0), 8.0, &[Must::AtMost(9.0)])] };
        let text = report.to_string();
        assert_eq!(text.lines().count(), 2);
        assert!(text.contains("4.00×") && text.trim_end().ends_with("yes"), "{text}");
    }

    #[test]
    fn pairs_are_compared_one_by_one() {
        let turn = |micros| vec![("cpu", "µs", micros)];
        let pairs = [(turn(10.0), turn(11.0)), (turn(20.0), turn(20.0)), (turn(10.0), turn(20.0))];
        let found = Comparison::of("paced", "sqlite", &pairs);
        assert_eq!((found[0].old, found[0].new, found[0].ratio()), (10.0, 20.0, 1.1));
        let text = Comparisons(found).to_string();
        assert!(text.contains("1.10×") && text.contains("1.00–2.00×") && text.trim_end().ends_with("NO"));
    }

    #[test]
    fn three_digits_matter() {
        assert_eq!([1_234.5, 12.345, 1.2345].map(shown), ["1234", "12.3", "1.23"]);
    }
}
