//! What is measured, with which stores, and for how long.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use mien_servers::Postgres;

use crate::fleet::Fleet;
use crate::server::Server;

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
    pub(super) stores: Vec<StoreKind>,
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

    /// Turns that each server gets in a scenario.
    pub(super) fn rounds(&self) -> u32 {
        if self.quick { 2 } else { 4 }
    }

    /// How long a turn lasts: long enough that the kernel's ticks of 10 ms do not show.
    pub(super) fn turn(&self) -> Duration {
        Duration::from_secs(if self.quick { 2 } else { 5 })
    }

    pub(super) fn postgres_url(&self) -> anyhow::Result<String> {
        let postgres = self.postgres.as_ref();
        postgres.map(Postgres::database).ok_or_else(|| anyhow::anyhow!("no Postgres was started"))
    }

    /// A relay on an empty store of this kind.
    pub(super) async fn relay(&self, store: StoreKind) -> anyhow::Result<Server> {
        self.relay_of(&self.program, store).await
    }

    /// Another build of it, likewise.
    pub(super) async fn relay_of(&self, program: &Path, store: StoreKind) -> anyhow::Result<Server> {
        match store {
            StoreKind::Sqlite => Server::relay(program, None).await,
            StoreKind::Postgres => Server::relay(program, Some(&self.postgres_url()?)).await,
        }
    }

    /// The floor, and a relay on each store, each with so many sources.
    pub(super) async fn fleets(&self, sources: usize) -> anyhow::Result<(Fleet, Vec<(StoreKind, Fleet)>)> {
        let floor = Fleet::new(Server::floor()?, sources).await?;
        let mut relays = Vec::new();
        for &store in &self.stores {
            relays.push((store, Fleet::new(self.relay(store).await?, sources).await?));
        }
        Ok((floor, relays))
    }
}
