//! One source of the generator: sends samples, waits for acks, and keeps track of what is not acked.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tokio::time::{Instant, MissedTickBehavior};

use crate::latency::Latencies;
use crate::message;
use crate::server::Endpoints;
use crate::wire::Wire;

/// How long to wait for the last acks of a phase: far longer than a relay that has lost none would need.
const LAST_ACKS: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Source {
    wire: Wire,
    /// Samples sent and acked so far; both are also the last seq.
    sent: u64,
    acked: u64,
    /// The last seq of each message in flight, and when it was sent.
    under_way: VecDeque<(u64, Instant)>,
    text: Vec<u8>,
    latencies: Latencies,
}

/// How a source sends as fast as the server allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// Maximum number of messages in flight.
    pub(crate) messages: usize,
    /// Samples per message.
    pub(crate) samples: u64,
}

impl Source {
    pub(crate) async fn open(address: SocketAddr, endpoints: &Endpoints) -> anyhow::Result<Self> {
        let wire = Wire::open(address, &endpoints.ingest, &endpoints.ingest_token).await?;
        Ok(Self {
            wire,
            sent: 0,
            acked: 0,
            under_way: VecDeque::new(),
            text: Vec::new(),
            latencies: Latencies::default(),
        })
    }

    pub(crate) fn acked(&self) -> u64 {
        self.acked
    }

    /// Latencies since the last call.
    pub(crate) fn take_latencies(&mut self) -> Latencies {
        std::mem::take(&mut self.latencies)
    }

    /// Keeps the window full until this time, then waits for the last acks.
    pub(crate) async fn saturate(&mut self, window: Window, until: Instant) -> anyhow::Result<()> {
        while Instant::now() < until {
            while self.under_way.len() < window.messages {
                self.queue(window.samples);
            }
            self.wire.flush().await?;
            self.hear().await?;
        }
        self.settle().await
    }

    /// Sends a sample at every beat until this time, regardless of acks; then waits for the last acks.
    pub(crate) async fn pace(
        &mut self,
        first: Instant,
        every: Duration,
        until: Instant,
    ) -> anyhow::Result<()> {
        let mut beat = tokio::time::interval_at(first, every);
        // Late beats are caught up, so that every phase sends the same number of samples.
        beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
        loop {
            tokio::select! {
                biased;
                now = beat.tick() => {
                    if now >= until {
                        break;
                    }
                    self.queue(1);
                    self.wire.flush().await?;
                }
                heard = hear(&mut self.wire, &mut self.acked, &mut self.under_way, &mut self.latencies) => heard?,
            }
        }
        self.settle().await
    }

    /// Sends one sample and waits for its ack.
    pub(crate) async fn once(&mut self) -> anyhow::Result<()> {
        self.queue(1);
        self.wire.flush().await?;
        self.settle().await
    }

    fn queue(&mut self, samples: u64) {
        message::samples(&mut self.text, self.sent + 1, samples);
        self.wire.say(&self.text);
        self.sent += samples;
        self.under_way.push_back((self.sent, Instant::now()));
    }

    async fn hear(&mut self) -> anyhow::Result<()> {
        hear(&mut self.wire, &mut self.acked, &mut self.under_way, &mut self.latencies).await
    }

    async fn settle(&mut self) -> anyhow::Result<()> {
        let all = async {
            while self.acked < self.sent {
                self.hear().await?;
            }
            anyhow::Ok(())
        };
        let heard = tokio::time::timeout(LAST_ACKS, all).await;
        heard.context("the last acks did not come")??;
        ensure!(self.under_way.is_empty(), "acked to {}, but messages are on the way", self.acked);
        Ok(())
    }
}

/// Reads acks. Any other answer from the relay (a reject, a throttle) voids the measurement.
async fn hear(
    wire: &mut Wire,
    acked: &mut u64,
    under_way: &mut VecDeque<(u64, Instant)>,
    latencies: &mut Latencies,
) -> anyhow::Result<()> {
    wire.hear(|text| {
        let Some(through) = message::ack(text) else { bail!("no ack, but {text}") };
        ensure!(through >= *acked, "an ack went back from {acked} to {through}");
        *acked = through;
        while let Some(&(last, sent)) = under_way.front()
            && last <= through
        {
            latencies.note(sent.elapsed());
            under_way.pop_front();
        }
        Ok(())
    })
    .await
}
