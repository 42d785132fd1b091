//! How many samples a second a relay commits and acks when clients catch up, compared with what its store can insert
//! raw.

use std::time::Duration;

use tokio::time::Instant;

use super::plan::{Plan, StoreKind};
use super::scenario::Scenario;
use crate::fleet::{Cost, Fleet, Load};
use crate::raw::Raw;
use crate::report::{Figure, Must};
use crate::source::Window;

pub(super) const SOURCES: usize = 16;
pub(super) const LOAD: Load = Load::Full(Window { messages: 4, samples: 64 });

pub(super) async fn run(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for &store in &plan.stores {
        let folder = tempfile::tempdir()?;
        let mut raw = match store {
            StoreKind::Sqlite => Raw::sqlite(folder.path()).await?,
            StoreKind::Postgres => Raw::postgres(&plan.postgres_url()?).await?,
        };
        let mut relay = Fleet::new(plan.relay(store).await?, SOURCES).await?;
        let (mut rows, mut raw_wall) = (0, Duration::ZERO);
        let mut cost = Cost::default();
        for _ in 0..plan.rounds() {
            let (more, took) = raw.fill(rows, Instant::now() + plan.turn()).await?;
            rows += more;
            raw_wall += took;
            cost += relay.phase(LOAD, plan.turn()).await?;
        }
        relay.verify().await?;
        let least = if store == StoreKind::Postgres { 27_000.0 } else { 35_000.0 };
        let figure = |what: &str, unit, floor, relay, musts| Figure {
            scenario: Scenario::Capacity.name(),
            what: what.to_owned(),
            store: store.name(),
            unit,
            floor,
            relay,
            musts,
        };
        let raw_rate = rows as f64 / raw_wall.as_secs_f64();
        figures.push(figure(
            "acked and committed; floor: raw inserts",
            "1/s",
            Some(raw_rate),
            cost.per_second(),
            vec![Must::AtLeast(least)],
        ));
        figures.push(figure("server CPU a sample", "µs", None, cost.cpu_micros(), Vec::new()));
    }
    Ok(figures)
}
