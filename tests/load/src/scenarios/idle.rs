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
/// Connections between two readings, and how many more readings there are.
const STEP: usize = 200;
const STEPS: usize = 10;
/// Time for what is in progress to settle.
const REST: Duration = Duration::from_millis(500);

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

/// The slope of a line through all readings: the allocator takes and returns memory in steps of up to 3 MiB, which is
/// more than a kilobyte for each of the connections between the first reading and the last.
async fn kib_each(fleet: &mut Fleet) -> anyhow::Result<f64> {
    fleet.touch().await?;
    let mut readings = vec![(FIRST as f64, resident_kib(fleet).await?)];
    for step in 1..=STEPS {
        fleet.grow(STEP).await?;
        fleet.touch().await?;
        readings.push(((FIRST + step * STEP) as f64, resident_kib(fleet).await?));
    }
    Ok(slope(&readings))
}

async fn resident_kib(fleet: &Fleet) -> anyhow::Result<f64> {
    tokio::time::sleep(REST).await;
    Ok(cpu::resident(fleet.server.pid())? as f64 / 1024.0)
}

/// Of the line with the least squared distances, by the textbook formula.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let covariance: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    covariance / variance
}

#[cfg(test)]
mod tests {
    use super::slope;

    #[test]
    fn a_spike_weighs_less_than_between_the_ends() {
        let line: Vec<(f64, f64)> = (0..11).map(|n| (f64::from(n), 5.0 + 3.0 * f64::from(n))).collect();
        assert!((slope(&line) - 3.0).abs() < 1e-9);
        let spike: Vec<(f64, f64)> =
            line.iter().map(|&(x, y)| (x, if (x - 10.0).abs() < 0.5 { y + 10.0 } else { y })).collect();
        let between_ends = (spike[10].1 - spike[0].1) / 10.0;
        assert!((slope(&spike) - 3.0).abs() < (between_ends - 3.0) / 2.0, "{}", slope(&spike));
    }
}
