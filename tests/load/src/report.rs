//! What was measured, as a table for people and as JSON for machines.

use std::fmt;
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

/// One figure of one scenario.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) scenario: &'static str,
    pub(crate) what: String,
    /// Where the relay stores.
    pub(crate) store: &'static str,
    pub(crate) unit: &'static str,
    /// The bare server's, or the raw store's.
    pub(crate) floor: Option<f64>,
    pub(crate) relay: f64,
    pub(crate) musts: Vec<Must>,
}

/// What a figure must be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Must {
    AtMost(f64),
    AtLeast(f64),
    /// So many times the floor.
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

    /// `None` where nothing is asked.
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

impl Report {
    pub(crate) fn write_json(&self, file: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(file, text + "\n").with_context(|| format!("{} cannot be written", file.display()))
    }
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

/// Three digits that matter.
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
    fn three_digits_matter() {
        assert_eq!([1_234.5, 12.345, 1.2345].map(shown), ["1234", "12.3", "1.23"]);
    }
}
