//! The scenarios: which load, against what, and the required result.

mod capacity;
mod compare;
mod idle;
mod load;
mod watch;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use mien_servers::Postgres;

pub(crate) use self::compare::MOST as MOST_RATIO;
use crate::fleet::Fleet;
use crate::report::{Comparisons, Report};
use crate::server::Server;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// 64 connections, 16 messages of one sample on the way each: processor time a sample
    Window,
    /// 2,000 connections, 5 samples a second each: processor time a sample
    Paced,
    /// 100 connections, 10 samples a second each: the time to an ack
    Light,
    /// 16 connections, messages of 64 samples: samples a second, against raw inserts
    Capacity,
    /// 2,000 connections that do nothing: memory
    Idle,
    /// One source, 500 watchers: processor time a delivery
    Watch,
}

impl Scenario {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Paced => "paced",
            Self::Light => "light",
            Self::Capacity => "capacity",
            Self::Idle => "idle",
            Self::Watch => "watch",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stores {
    Sqlite,
    Postgres,
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreKind {
    Sqlite,
    Postgres,
}

impl StoreKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// What is measured, with what, and for how long.
#[derive(Debug)]
pub(crate) struct Plan {
    program: PathBuf,
    stores: Vec<StoreKind>,
    postgres: Option<Postgres>,
    quick: bool,
}

impl Plan {
    pub(crate) fn new(program: PathBuf, quick: bool, stores: Stores) -> Self {
        let stores = match stores {
            Stores::Sqlite => vec![StoreKind::Sqlite],
            Stores::Postgres => vec![StoreKind::Postgres],
            Stores::Both => vec![StoreKind::Sqlite, StoreKind::Postgres],
        };
        let postgres = stores.contains(&StoreKind::Postgres).then(Postgres::start);
        Self { program, stores, postgres, quick }
    }

    /// Turns per server in a scenario.
    fn rounds(&self) -> u32 {
        if self.quick { 2 } else { 4 }
    }

    /// How long a turn lasts: long enough that the kernel's 10 ms ticks do not matter.
    fn turn(&self) -> Duration {
        Duration::from_secs(if self.quick { 2 } else { 5 })
    }

    fn postgres_url(&self) -> anyhow::Result<String> {
        let postgres = self.postgres.as_ref();
        postgres.map(Postgres::database).ok_or_else(|| anyhow::anyhow!("no Postgres was started"))
    }

    /// A relay on an empty store of this kind.
    async fn relay(&self, store: StoreKind) -> anyhow::Result<Server> {
        self.relay_of(&self.program, store).await
    }

    /// Another build of it, with the same setup.
    async fn relay_of(&self, program: &Path, store: StoreKind) -> anyhow::Result<Server> {
        match store {
            StoreKind::Sqlite => Server::relay(program, None).await,
            StoreKind::Postgres => Server::relay(program, Some(&self.postgres_url()?)).await,
        }
    }

    /// The floor, and a relay on each store, each with this many sources.
    async fn fleets(&self, sources: usize) -> anyhow::Result<(Fleet, Vec<(StoreKind, Fleet)>)> {
        let floor = Fleet::new(Server::floor()?, sources).await?;
        let mut relays = Vec::new();
        for &store in &self.stores {
            relays.push((store, Fleet::new(self.relay(store).await?, sources).await?));
        }
        Ok((floor, relays))
    }
}

/// Runs the requested scenarios, or all if none is named. One thread: on two cores the server needs the other.
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

/// Runs the requested scenarios on two builds, alternating.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn compare(plan: &Plan, old: &Path, only: &[Scenario]) -> anyhow::Result<Comparisons> {
    let mut found = Vec::new();
    for scenario in chosen(only) {
        eprintln!("comparing: {}", scenario.name());
        found.extend(compare::run(plan, old, scenario).await?);
    }
    Ok(Comparisons(found))
}

fn chosen(only: &[Scenario]) -> impl Iterator<Item = Scenario> + '_ {
    Scenario::value_variants().iter().copied().filter(|scenario| only.is_empty() || only.contains(scenario))
}
