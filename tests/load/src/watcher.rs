//! One watcher of the generator: counts what it receives, and checks that the server keeps the order without gaps.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::message;
use crate::server::Endpoints;
use crate::wire::Wire;

/// Maximum time between two messages.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Watcher {
    wire: Wire,
    /// Messages that contain samples.
    deliveries: u64,
    /// The last seq seen.
    last: u64,
}

impl Watcher {
    pub(crate) async fn open(address: SocketAddr, endpoints: &Endpoints) -> anyhow::Result<Self> {
        let wire = Wire::open(address, &endpoints.watch, &endpoints.watch_token).await?;
        Ok(Self { wire, deliveries: 0, last: 0 })
    }

    pub(crate) fn deliveries(&self) -> u64 {
        self.deliveries
    }

    /// Reads until it has seen this seq.
    pub(crate) async fn follow(&mut self, until: u64) -> anyhow::Result<()> {
        while self.last < until {
            let (deliveries, last) = (&mut self.deliveries, &mut self.last);
            let heard = self.wire.hear(|text| {
                let mut delivered = false;
                for seq in message::seqs(text) {
                    ensure!(seq == *last + 1, "after {last} came {seq}");
                    *last = seq;
                    delivered = true;
                }
                *deliveries += u64::from(delivered);
                Ok(())
            });
            tokio::time::timeout(PATIENCE, heard).await.context("a watcher waits for a sample")??;
        }
        Ok(())
    }
}
