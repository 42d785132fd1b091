//! What a connection costs that has sent something and is now silent.

use std::time::Duration;

use super::plan::Plan;
use super::scenario::Scenario;
use crate::cpu;
use crate::fleet::Fleet;
use crate::report::{Figure, Must};
use crate::server::Server;

/// Connected before the first reading, so that one-time costs of a process are not counted.
const FIRST: usize = 200;
const MORE: usize = 2_000;
/// Time for what is in progress to settle.
const REST: Duration = Duration::from_secs(1);

pub(super) async fn run(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let (mut floor, relays) = plan.fleets(FIRST).await?;
    let floor_kib = kib_each(&mut floor).await?;
    let mut figures = Vec::new();
    for (store, mut relay) in relays {
        let kib = kib_each(&mut relay).await?;
        relay.verify().await?;
        figures.push(Figure {
            scenario: Scenario::Idle.name(),
            what: "resident memory a connection".to_owned(),
            store: store.name(),
            unit: "KiB",
            floor: Some(floor_kib),
            relay: kib,
            musts: vec![Must::AtMost(12.0)],
        });
    }
    Ok(figures)
}

/// For a server that has just started.
pub(super) async fn kib_of(server: Server) -> anyhow::Result<f64> {
    let mut fleet = Fleet::new(server, FIRST).await?;
    let kib = kib_each(&mut fleet).await?;
    fleet.verify().await?;
    Ok(kib)
}

async fn kib_each(fleet: &mut Fleet) -> anyhow::Result<f64> {
    fleet.touch().await?;
    tokio::time::sleep(REST).await;
    let before = cpu::resident(fleet.server.pid())?;
    fleet.grow(MORE).await?;
    fleet.touch().await?;
    tokio::time::sleep(REST).await;
    let after = cpu::resident(fleet.server.pid())?;
    Ok(after.saturating_sub(before) as f64 / MORE as f64 / 1024.0)
}
