//! The recent window: the last hour of each source, ready to send.
//!
//! The publisher writes every committed batch there. It is a stream whose ids are the batches' `through`, so a watcher
//! that is behind finds its position at once, and its entries are the watchers' own messages: no rows are read and
//! nothing is serialised again. It guarantees nothing: a batch may be missing, and the oldest are dropped. Each entry
//! says what came before it, so a reader takes what continues from its position, and reads the store if nothing does.

use mien_shared::SessionId;
use mien_shared::api::SourceName;
use redis::streams::StreamRangeReply;

use super::client::{Away, Redis};
use super::keys::{samples_channel, window_key};
use super::message::read_batch;
use crate::live::CommittedBatch;

/// Life of a window after its last batch.
pub(super) const LIFE_SECONDS: u64 = 60 * 60;
/// An hour at five messages a second. Some five megabytes with one face.
pub(super) const MAX_ENTRIES: usize = 18_000;
/// Entries read at a time.
const PAGE: usize = 128;

impl Redis {
    /// The first committed batches of a source that follow the seq `after` without a gap; none where the window does
    /// not reach back so far.
    pub async fn recent(&self, id: SessionId, source: &SourceName, after: u64) -> Vec<CommittedBatch> {
        continuing(after, self.read_window(id, source, after).await.unwrap_or_default())
    }

    async fn read_window(
        &self,
        id: SessionId,
        source: &SourceName,
        after: u64,
    ) -> Result<Vec<CommittedBatch>, Away> {
        let mut pipeline = redis::pipe();
        pipeline.xrange_count(window_key(id, source), format!("{}-0", after.saturating_add(1)), "+", PAGE);
        let (found,): (StreamRangeReply,) = self.quick(&pipeline).await?;
        // Sealed for the channel, as one text is for both.
        let channel = samples_channel(id);
        let batches = found.ids.into_iter().map_while(|entry| {
            let message: Vec<u8> = entry.get("m")?;
            let (of, batch) = read_batch(self.seal().open(&channel, &message)?)?;
            (of == *source).then_some(batch)
        });
        Ok(batches.collect())
    }
}

/// The first batches, for as long as each begins where the one before ended.
fn continuing(after: u64, batches: Vec<CommittedBatch>) -> Vec<CommittedBatch> {
    let mut reached = after;
    let chain = batches.into_iter().take_while(|batch| {
        let continues = batch.before <= reached && reached < batch.first;
        reached = batch.through;
        continues
    });
    chain.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_ends_the_chain() {
        let batch =
            |before, first, through| CommittedBatch { before, through, first, text: String::new().into() };
        let stored = [batch(0, 1, 4), batch(4, 6, 8), batch(9, 10, 12)];
        let reach =
            |after, from: usize| continuing(after, stored[from..].to_vec()).last().map(|last| last.through);
        assert_eq!(reach(0, 0), Some(8), "the third does not follow");
        assert_eq!(reach(4, 1), Some(8));
        assert_eq!(reach(5, 1), Some(8), "what lies between was refused or never came");
        assert_eq!(reach(7, 1), None, "half of a batch is not sent twice");
        assert_eq!(reach(8, 2), None);
        assert_eq!(reach(9, 2), Some(12));
    }
}
