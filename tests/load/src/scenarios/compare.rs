//! Two builds of the relay under the same load, alternating: what a change costs.

use std::path::Path;

use super::plan::{Plan, StoreKind};
use super::scenario::Scenario;
use super::{capacity, idle, load, watch};
use crate::fleet::{Fleet, Load};
use crate::report::Comparison;
use crate::server::Server;

/// Turns of each build. A single ratio varies by a tenth, the median of seven by a few hundredths.
const PAIRS: usize = 7;

/// The results of one turn: by name, with unit.
type Figures = Vec<(&'static str, &'static str, f64)>;

/// A relay with its clients.
enum Subject {
    Fleet(Fleet, Load),
    Room(watch::Room),
}

pub(super) async fn run(plan: &Plan, old: &Path, scenario: Scenario) -> anyhow::Result<Vec<Comparison>> {
    let mut found = Vec::new();
    for &store in &plan.stores {
        let pairs = if scenario == Scenario::Idle {
            fresh_pairs(plan, old, store).await?
        } else {
            pairs(plan, old, scenario, store).await?
        };
        found.extend(Comparison::of(scenario.name(), store.name(), &pairs));
    }
    Ok(found)
}

/// Each build keeps its clients over all turns; which one goes first alternates, too.
async fn pairs(
    plan: &Plan,
    old: &Path,
    scenario: Scenario,
    store: StoreKind,
) -> anyhow::Result<Vec<(Figures, Figures)>> {
    let mut old = Subject::new(plan.relay_of(old, store).await?, scenario).await?;
    let mut new = Subject::new(plan.relay(store).await?, scenario).await?;
    // Not counted: caches fill up, and the database grows its files.
    old.turn(plan).await?;
    new.turn(plan).await?;
    let mut pairs = Vec::new();
    for place in 0..PAIRS {
        pairs.push(if place % 2 == 0 {
            let first = old.turn(plan).await?;
            (first, new.turn(plan).await?)
        } else {
            let first = new.turn(plan).await?;
            (old.turn(plan).await?, first)
        });
    }
    old.verify().await?;
    new.verify().await?;
    Ok(pairs)
}

/// Memory that a process has once taken it keeps: so memory is measured on new ones.
async fn fresh_pairs(plan: &Plan, old: &Path, store: StoreKind) -> anyhow::Result<Vec<(Figures, Figures)>> {
    let mut pairs = Vec::new();
    for _ in 0..PAIRS {
        let old = idle::kib_of(plan.relay_of(old, store).await?).await?;
        let new = idle::kib_of(plan.relay(store).await?).await?;
        let figures = |kib| vec![("resident memory a connection", "KiB", kib)];
        pairs.push((figures(old), figures(new)));
    }
    Ok(pairs)
}

impl Subject {
    async fn new(server: Server, scenario: Scenario) -> anyhow::Result<Self> {
        let (sources, load) = match scenario {
            Scenario::Watch => return Ok(Self::Room(watch::Room::open(server).await?)),
            Scenario::Capacity => (capacity::SOURCES, capacity::LOAD),
            _ => load::shape(scenario),
        };
        Ok(Self::Fleet(Fleet::new(server, sources).await?, load))
    }

    async fn turn(&mut self, plan: &Plan) -> anyhow::Result<Figures> {
        match self {
            Self::Fleet(fleet, load) => {
                let mut cost = fleet.phase(*load, plan.turn()).await?;
                let mut figures = vec![("server CPU a sample", "µs", cost.cpu_micros())];
                // A source that sends as fast as acks arrive cares about how soon everything is stored.
                if matches!(load, Load::Full(_)) {
                    figures.push(("time a sample", "µs", 1e6 / cost.per_second()));
                }
                figures.extend([
                    ("ack p50", "ms", load::percentile(&mut cost, 50.0)),
                    ("ack p99", "ms", load::percentile(&mut cost, 99.0)),
                ]);
                Ok(figures)
            }
            Self::Room(room) => {
                Ok(vec![("server CPU a delivery, 500 watchers", "µs", room.turn(plan.turn()).await?)])
            }
        }
    }

    async fn verify(&self) -> anyhow::Result<()> {
        match self {
            Self::Fleet(fleet, _) => fleet.verify().await,
            Self::Room(room) => room.verify().await,
        }
    }
}
