//! What a source sends and how fast, and the results.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::{Sink, SinkExt as _};
use mien_shared::Code;
use mien_shared::limits::MAX_BATCH;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::samples::{sample, spoiled};

/// What one source sends.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Samples made at a time.
    pub batch: u64,
    /// Between two batches, whether the relay is there or not. Zero: as fast as the relay acks, with `window` messages
    /// in flight.
    pub pause: Duration,
    /// Maximum number of messages in flight.
    pub window: usize,
    /// Faces in each sample.
    pub faces: usize,
    /// Every seq divisible by this is an invalid sample. Zero: none.
    pub spoiled_every: u64,
}

impl Load {
    /// As fast as the relay takes it.
    pub const FAST: Self = Self { batch: 20, pause: Duration::ZERO, window: 8, faces: 1, spoiled_every: 0 };
    /// A hundred samples a second, as from a few cameras.
    pub const STEADY: Self = Self { batch: 5, pause: Duration::from_millis(50), ..Self::FAST };

    pub fn is_spoiled(&self, seq: u64) -> bool {
        self.spoiled_every > 0 && seq.is_multiple_of(self.spoiled_every)
    }

    /// Maximum number of samples in one message.
    pub(crate) fn most(&self) -> u64 {
        if self.pause.is_zero() { self.batch } else { (MAX_BATCH / self.faces.max(1)) as u64 }
    }

    /// The message that carries these samples.
    pub(crate) fn message(&self, first: u64, last: u64) -> String {
        let samples: Vec<String> = (first..=last)
            .map(|seq| {
                if self.is_spoiled(seq) {
                    spoiled(seq)
                } else {
                    serde_json::to_string(&sample(seq, self.faces)).expect("samples are plain JSON")
                }
            })
            .collect();
        format!(r#"{{"type":"samples","samples":[{}]}}"#, samples.join(","))
    }
}

/// Sends the next batch of this load, whatever the relay answers.
pub async fn push(
    sink: &mut (impl Sink<Message, Error = Error> + Unpin),
    load: Load,
    first: u64,
) -> Result<(), Error> {
    sink.send(Message::text(load.message(first, first + load.batch - 1))).await
}

/// What a source knows at its end.
#[derive(Clone, Debug)]
pub struct Account {
    pub source: String,
    pub load: Load,
    /// Samples made, from 1; all of them were acked.
    pub made: u64,
    pub rejected: BTreeMap<u64, Code>,
    /// Time from a message to the ack that covers it, in order.
    pub latencies: Vec<Duration>,
    /// How its connections ended; 1006 if without a close frame.
    pub closes: Vec<u16>,
    /// How often it was told to wait.
    pub throttled: u32,
}

impl Account {
    /// What must be stored of it.
    pub fn expected(&self) -> BTreeSet<u64> {
        (1..=self.made).filter(|seq| !self.load.is_spoiled(*seq)).collect()
    }
}

/// The value that 99 of 100 do not exceed; zero if there are none.
pub fn p99(values: &[Duration]) -> Duration {
    percentile(values, 99)
}

/// The median.
pub fn median(values: &[Duration]) -> Duration {
    percentile(values, 50)
}

fn percentile(values: &[Duration], of_100: usize) -> Duration {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let place = (sorted.len() * of_100 / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or_default()
}
