//! One message of samples, within the relay's limits.

use mien_shared::Sample;
use mien_shared::limits::{MAX_BATCH, MAX_MESSAGE_BYTES};
use mien_shared::protocol::IngestLimits;

/// What one message may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct BatchLimits {
    pub(super) max_samples: usize,
    max_bytes: usize,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { max_samples: MAX_BATCH, max_bytes: MAX_MESSAGE_BYTES }
    }
}

impl From<&IngestLimits> for BatchLimits {
    fn from(limits: &IngestLimits) -> Self {
        Self {
            max_samples: limits.max_batch.clamp(1, MAX_BATCH),
            max_bytes: limits.max_message_bytes.clamp(1_024, MAX_MESSAGE_BYTES),
        }
    }
}

pub(super) struct Batch {
    pub(super) text: String,
    /// The last seq in it.
    pub(super) through: u64,
}

impl Batch {
    /// As many of these samples as one message may hold; `None` if there are none.
    pub(super) fn of(samples: &[Sample], limits: BatchLimits) -> Option<Self> {
        let mut text = String::from(r#"{"type":"samples","samples":["#);
        let mut through = None;
        for sample in samples.iter().take(limits.max_samples) {
            let Ok(row) = serde_json::to_string(sample) else { continue };
            // Two for the end, one for the comma. A single sample always fits within the contract's limits.
            if through.is_some() && text.len() + row.len() + 3 > limits.max_bytes {
                break;
            }
            if through.is_some() {
                text.push(',');
            }
            text.push_str(&row);
            through = Some(sample.seq);
        }
        text.push_str("]}");
        through.map(|through| Self { text, through })
    }
}
