//! The recent window: the last hour of each source, ready to send.
//!
//! Every committed batch is written there by the outbox. It is a stream whose ids are the batches' `through`,
//! so a watcher that is behind finds its place at once, and its entries are the watchers' own messages: no
//! rows are read and nothing is serialised anew. It promises nothing: a batch may be missing, the oldest are
//! dropped. Each entry says what came before it, so a reader takes what continues its place and turns to the
//! store where nothing does.

use mien_shared::SessionId;
use mien_shared::api::SourceName;
use redis::streams::StreamRangeReply;

use super::message::{read_piece, samples_channel, window_key};
use super::{Away, Redis};
use crate::live::Piece;

/// Life of a window after its last batch.
pub(super) const LIFE_SECONDS: u64 = 60 * 60;
/// An hour at five messages a second. Some five megabytes with one face.
pub(super) const MAX_ENTRIES: usize = 18_000;
/// Entries read at a time.
const PAGE: usize = 128;

impl Redis {
    /// The first committed batches of a source that follow `place` without a gap; none where the window does
    /// not reach back so far.
    pub async fn recent(&self, id: SessionId, source: &SourceName, place: u64) -> Vec<Piece> {
        continuing(place, self.read_window(id, source, place).await.unwrap_or_default())
    }

    async fn read_window(&self, id: SessionId, source: &SourceName, place: u64) -> Result<Vec<Piece>, Away> {
        let mut pipeline = redis::pipe();
        pipeline.xrange_count(window_key(id, source), format!("{}-0", place.saturating_add(1)), "+", PAGE);
        let (found,): (StreamRangeReply,) = self.quick(&pipeline).await?;
        // Sealed for the channel, as one text is for both.
        let place = samples_channel(id);
        let pieces = found.ids.into_iter().map_while(|entry| {
            let message: Vec<u8> = entry.get("m")?;
            let (of, piece) = read_piece(self.seal().open(&place, &message)?)?;
            (of == *source).then_some(piece)
        });
        Ok(pieces.collect())
    }
}

/// The first pieces, as long as each begins where the one before ended.
fn continuing(place: u64, pieces: Vec<Piece>) -> Vec<Piece> {
    let mut reached = place;
    let chain = pieces.into_iter().take_while(|piece| {
        let continues = piece.before <= reached && reached < piece.first;
        reached = piece.through;
        continues
    });
    chain.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_ends_the_chain() {
        let piece = |before, first, through| Piece { before, through, first, text: String::new().into() };
        let stored = [piece(0, 1, 4), piece(4, 6, 8), piece(9, 10, 12)];
        let reach =
            |place, from: usize| continuing(place, stored[from..].to_vec()).last().map(|last| last.through);
        assert_eq!(reach(0, 0), Some(8), "the third does not follow");
        assert_eq!(reach(4, 1), Some(8));
        assert_eq!(reach(5, 1), Some(8), "what lies between was refused or never came");
        assert_eq!(reach(7, 1), None, "half of a piece is not sent twice");
        assert_eq!(reach(8, 2), None);
        assert_eq!(reach(9, 2), Some(12));
    }
}
