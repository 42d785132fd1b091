//! Many sources at one server, and what a phase with all of them costs it.

use std::ops::AddAssign;
use std::time::Duration;

use anyhow::ensure;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::cpu;
use crate::latency::Latencies;
use crate::server::{Endpoints, Server};
use crate::source::{Source, Window};

/// Connections that open at the same time: a rush of new connections is not what is measured.
const DOOR: usize = 64;

#[derive(Debug)]
pub(crate) struct Fleet {
    pub(crate) server: Server,
    endpoints: Vec<Endpoints>,
    sources: Vec<Source>,
}

/// How a phase loads the server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Load {
    /// As fast as acks arrive.
    Full(Window),
    /// A sample at every beat of each source; the sources' beats are spread evenly.
    Paced(Duration),
}

/// What phases cost.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cost {
    /// Acked.
    pub(crate) samples: u64,
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
    pub(crate) latencies: Latencies,
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.samples += other.samples;
        self.cpu += other.cpu;
        self.wall += other.wall;
        self.latencies.absorb(other.latencies);
    }
}

impl Cost {
    /// Microseconds of the server's processor time per sample.
    pub(crate) fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.samples.max(1) as f64
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.samples as f64 / self.wall.as_secs_f64().max(1e-9)
    }
}

impl Fleet {
    /// Connects sources to a server, each in a session of its own.
    pub(crate) async fn new(server: Server, sources: usize) -> anyhow::Result<Self> {
        let mut fleet = Self { server, endpoints: Vec::new(), sources: Vec::new() };
        fleet.grow(sources).await?;
        Ok(fleet)
    }

    /// Adds this many more.
    pub(crate) async fn grow(&mut self, sources: usize) -> anyhow::Result<()> {
        let endpoints = self.server.endpoints(sources).await;
        let address = self.server.address();
        for some in endpoints.chunks(DOOR) {
            let opened = some.iter().map(|endpoints| Source::open(address, endpoints));
            self.sources.extend(futures_util::future::try_join_all(opened).await?);
        }
        self.endpoints.extend(endpoints);
        Ok(())
    }

    /// One phase, and its cost from the first sample to the last ack.
    pub(crate) async fn phase(&mut self, load: Load, length: Duration) -> anyhow::Result<Cost> {
        let acked = self.acked();
        let cpu = cpu::time(self.server.pid())?;
        let begun = Instant::now();
        let until = begun + length;
        let count = self.sources.len().max(1) as u32;
        let mut tasks = JoinSet::new();
        for (place, mut source) in self.sources.drain(..).enumerate() {
            tasks.spawn(async move {
                match load {
                    Load::Full(window) => source.saturate(window, until).await?,
                    Load::Paced(every) => {
                        let first = begun + every * place as u32 / count;
                        source.pace(first, every, until).await?;
                    }
                }
                anyhow::Ok(source)
            });
        }
        while let Some(source) = tasks.join_next().await {
            self.sources.push(source??);
        }
        let (wall, cpu) = (begun.elapsed(), cpu::time(self.server.pid())?.saturating_sub(cpu));
        let mut latencies = Latencies::default();
        for source in &mut self.sources {
            latencies.absorb(source.take_latencies());
        }
        Ok(Cost { samples: self.acked() - acked, cpu, wall, latencies })
    }

    /// One sample from each source, one after the other.
    pub(crate) async fn touch(&mut self) -> anyhow::Result<()> {
        for source in &mut self.sources {
            source.once().await?;
        }
        Ok(())
    }

    fn acked(&self) -> u64 {
        self.sources.iter().map(Source::acked).sum()
    }

    /// Looks for every acked sample in the store.
    pub(crate) async fn verify(&self) -> anyhow::Result<()> {
        if let Some(stored) = self.server.stored(&self.endpoints).await? {
            let acked = self.acked();
            ensure!(stored == acked, "void: {acked} samples were acked, {stored} are stored");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_add_up() {
        let mut cost = Cost::default();
        assert_eq!(cost.cpu_micros(), 0.0);
        for _ in 0..2 {
            cost += Cost {
                samples: 500,
                cpu: Duration::from_millis(5),
                wall: Duration::from_millis(250),
                latencies: Latencies::default(),
            };
        }
        assert_eq!((cost.cpu_micros(), cost.per_second()), (10.0, 2_000.0));
    }
}
