//! What a sample costs, and how soon its ack arrives: the same load for the floor and for a relay on each store.

use std::time::Duration;

use super::plan::{Plan, StoreKind};
use super::scenario::Scenario;
use crate::fleet::{Cost, Load};
use crate::report::{Figure, Must};
use crate::source::Window;

pub(super) async fn run(plan: &Plan, scenario: Scenario) -> anyhow::Result<Vec<Figure>> {
    let (sources, load) = shape(scenario);
    let (mut floor, mut relays) = plan.fleets(sources).await?;
    let mut floor_cost = Cost::default();
    let mut costs = vec![Cost::default(); relays.len()];
    for _ in 0..plan.rounds() {
        floor_cost += floor.phase(load, plan.turn()).await?;
        for ((_, relay), cost) in relays.iter_mut().zip(&mut costs) {
            *cost += relay.phase(load, plan.turn()).await?;
        }
    }
    let mut figures = Vec::new();
    for ((store, relay), cost) in relays.iter().zip(&mut costs) {
        relay.verify().await?;
        figures.extend(figures_of(scenario, *store, &mut floor_cost, cost));
    }
    Ok(figures)
}

/// How many sources, and how they send.
pub(super) fn shape(scenario: Scenario) -> (usize, Load) {
    match scenario {
        Scenario::Paced => (2_000, Load::Paced(Duration::from_millis(200))),
        Scenario::Light => (100, Load::Paced(Duration::from_millis(100))),
        _ => (64, Load::Full(Window { messages: 16, samples: 1 })),
    }
}

fn figures_of(scenario: Scenario, store: StoreKind, floor: &mut Cost, relay: &mut Cost) -> Vec<Figure> {
    let mut figures = Vec::new();
    let mut add = |what: &str, unit, (floor, relay): (f64, f64), musts: Vec<Must>| {
        figures.push(Figure {
            scenario: scenario.name(),
            what: what.to_owned(),
            store: store.name(),
            unit,
            floor: Some(floor),
            relay,
            musts,
        });
    };
    let cpu = (floor.cpu_micros(), relay.cpu_micros());
    add("server CPU a sample", "µs", cpu, cpu_musts(scenario, store));
    if scenario == Scenario::Window {
        add("acked samples", "1/s", (floor.per_second(), relay.per_second()), Vec::new());
    }
    for percent in [50.0, 99.0] {
        let milliseconds = (percentile(floor, percent), percentile(relay, percent));
        let musts = match (scenario, percent) {
            (Scenario::Light, 50.0) => vec![Must::AtMost(10.0)],
            (Scenario::Paced, 50.0) => vec![Must::AtMost(100.0)],
            (Scenario::Paced, _) => vec![Must::AtMost(300.0)],
            _ => Vec::new(),
        };
        add(&format!("ack p{percent}"), "ms", milliseconds, musts);
    }
    figures
}

pub(super) fn percentile(cost: &mut Cost, percent: f64) -> f64 {
    cost.latencies.percentile(percent).unwrap_or(f64::NAN)
}

fn cpu_musts(scenario: Scenario, store: StoreKind) -> Vec<Must> {
    match (scenario, store) {
        (Scenario::Window, StoreKind::Postgres) => vec![Must::AtMost(9.0), Must::RatioAtMost(4.0)],
        (Scenario::Window, StoreKind::Sqlite) => vec![Must::AtMost(22.0)],
        (Scenario::Paced, StoreKind::Postgres) => vec![Must::AtMost(33.0), Must::RatioAtMost(1.6)],
        // SQLite's inserts run in the relay's own process, those of Postgres do not; they add some 14 µs.
        (Scenario::Paced, StoreKind::Sqlite) => vec![Must::AtMost(47.0)],
        _ => Vec::new(),
    }
}
