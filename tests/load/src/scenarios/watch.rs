//! What it costs to pass a committed sample on to one more watcher.

use std::time::Duration;

use anyhow::ensure;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::plan::Plan;
use super::scenario::Scenario;
use crate::cpu;
use crate::report::{Figure, Must};
use crate::server::{Endpoints, Server};
use crate::source::Source;
use crate::watcher::Watcher;

const WATCHERS: usize = 500;
/// A camera that is analysed at a high rate.
const BEAT: Duration = Duration::from_millis(50);

/// A server with one source and its watchers.
pub(super) struct Room {
    server: Server,
    endpoints: Vec<Endpoints>,
    source: Source,
    watchers: Vec<Watcher>,
    deliveries: u64,
    cpu: Duration,
}

pub(super) async fn run(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let mut floor = Room::open(Server::floor()?).await?;
    let mut relays = Vec::new();
    for &store in &plan.stores {
        relays.push((store, Room::open(plan.relay(store).await?).await?));
    }
    for _ in 0..plan.rounds() {
        floor.turn(plan.turn()).await?;
        for (_, relay) in &mut relays {
            relay.turn(plan.turn()).await?;
        }
    }
    let mut figures = Vec::new();
    for (store, relay) in &relays {
        relay.verify().await?;
        figures.push(Figure {
            scenario: Scenario::Watch.name(),
            what: "server CPU a delivery, 500 watchers".to_owned(),
            store: store.name(),
            unit: "µs",
            floor: Some(micros(floor.cpu, floor.deliveries)),
            relay: micros(relay.cpu, relay.deliveries),
            musts: vec![Must::AtMost(8.0)],
        });
    }
    Ok(figures)
}

impl Room {
    pub(super) async fn open(server: Server) -> anyhow::Result<Self> {
        let endpoints = server.endpoints(1).await;
        let source = Source::open(server.address(), &endpoints[0]).await?;
        let mut watchers = Vec::new();
        for _ in 0..WATCHERS {
            watchers.push(Watcher::open(server.address(), &endpoints[0]).await?);
        }
        Ok(Self { server, endpoints, source, watchers, deliveries: 0, cpu: Duration::ZERO })
    }

    /// The source sends for a while; the turn is over when every watcher has seen all of it. Returns microseconds of
    /// the server's processor time per delivery.
    pub(super) async fn turn(&mut self, length: Duration) -> anyhow::Result<f64> {
        let cpu = cpu::time(self.server.pid())?;
        let before: u64 = self.watchers.iter().map(Watcher::deliveries).sum();
        let begun = Instant::now();
        let beats = (length.as_millis() / BEAT.as_millis()) as u64;
        let last = self.source.acked() + beats;
        let mut tasks = JoinSet::new();
        for mut watcher in self.watchers.drain(..) {
            tasks.spawn(async move {
                watcher.follow(last).await?;
                anyhow::Ok(watcher)
            });
        }
        let until = begun + BEAT * beats as u32 - BEAT / 2;
        self.source.pace(begun, BEAT, until).await?;
        while let Some(watcher) = tasks.join_next().await {
            self.watchers.push(watcher??);
        }
        let cpu = cpu::time(self.server.pid())?.saturating_sub(cpu);
        let deliveries = self.watchers.iter().map(Watcher::deliveries).sum::<u64>() - before;
        self.cpu += cpu;
        self.deliveries += deliveries;
        Ok(micros(cpu, deliveries))
    }

    pub(super) async fn verify(&self) -> anyhow::Result<()> {
        let (acked, stored) = (self.source.acked(), self.server.stored(&self.endpoints).await?);
        ensure!(stored == Some(acked), "void: acked {acked}, stored {stored:?}");
        Ok(())
    }
}

fn micros(cpu: Duration, deliveries: u64) -> f64 {
    cpu.as_secs_f64() * 1e6 / deliveries.max(1) as f64
}
