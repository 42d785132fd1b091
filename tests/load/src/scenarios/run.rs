//! Runs the scenarios that are asked for, one after another.

use std::path::Path;

use clap::ValueEnum as _;

use super::plan::Plan;
use super::scenario::Scenario;
use super::{capacity, idle, load, watch};
use crate::report::{Comparisons, Report};

/// Runs those that are asked for, all where none is named. One thread: on two cores the server needs the other.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn run(plan: &Plan, only: &[Scenario]) -> anyhow::Result<Report> {
    let mut report = Report::default();
    for scenario in chosen(only) {
        eprintln!("measuring: {}", scenario.name());
        let figures = match scenario {
            Scenario::Window | Scenario::Paced | Scenario::Light => load::run(plan, scenario).await?,
            Scenario::Capacity => capacity::run(plan).await?,
            Scenario::Idle => idle::run(plan).await?,
            Scenario::Watch => watch::run(plan).await?,
        };
        report.figures.extend(figures);
    }
    Ok(report)
}

/// Runs those that are asked for on two builds, in turns.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn compare(plan: &Plan, old: &Path, only: &[Scenario]) -> anyhow::Result<Comparisons> {
    let mut found = Vec::new();
    for scenario in chosen(only) {
        eprintln!("comparing: {}", scenario.name());
        found.extend(super::compare::run(plan, old, scenario).await?);
    }
    Ok(Comparisons(found))
}

fn chosen(only: &[Scenario]) -> impl Iterator<Item = Scenario> + '_ {
    Scenario::value_variants().iter().copied().filter(|scenario| only.is_empty() || only.contains(scenario))
}
