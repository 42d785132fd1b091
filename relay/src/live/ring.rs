//! The last committed batches of one source, ready to send.

use std::collections::VecDeque;

use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Batches that are remembered. At five messages a second that is over ten seconds: enough for a watcher
/// with a hiccup, little enough for a thousand sessions.
const MAX_PIECES: usize = 64;
/// Bytes that are remembered, for sources with many faces.
const MAX_BYTES: usize = 256 * 1024;
/// Pieces handed out at a time.
const MAX_HANDED: usize = 16;

/// The stored samples of one committed batch, as a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The source's `through` before and after the batch.
    pub before: u64,
    pub through: u64,
    /// Seq of the first sample in it.
    pub first: u64,
    pub text: Utf8Bytes,
}

#[derive(Debug, Default)]
pub(super) struct Ring {
    pieces: VecDeque<Piece>,
    bytes: usize,
    through: u64,
}

/// What a ring has for a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum After {
    Pieces {
        pieces: Vec<Piece>,
        /// Whether there is more after them.
        more: bool,
    },
    /// There is more after the place than the ring remembers; all of it is committed up to `through`.
    Forgotten { through: u64 },
}

impl Ring {
    /// Remembers a piece. One that comes after a later one is dropped: nothing continues it here, and those
    /// who need it read the store.
    pub(super) fn push(&mut self, piece: Piece) {
        if piece.through <= self.through {
            return;
        }
        self.through = piece.through;
        self.bytes += piece.text.len();
        self.pieces.push_back(piece);
        while self.pieces.len() > MAX_PIECES || self.bytes > MAX_BYTES {
            let Some(oldest) = self.pieces.pop_front() else { break };
            self.bytes -= oldest.text.len();
        }
    }

    /// There is more in the store than was pushed; whether that is news.
    pub(super) fn learn(&mut self, through: u64) -> bool {
        let news = through > self.through;
        self.through = self.through.max(through);
        news
    }

    /// What comes after `place`; `None` if nothing does.
    pub(super) fn after(&self, place: u64) -> Option<After> {
        if place >= self.through {
            return None;
        }
        let start = self.pieces.partition_point(|piece| piece.through <= place);
        let mut reached = place;
        let pieces: Vec<Piece> = self
            .pieces
            .range(start..)
            .take(MAX_HANDED)
            .take_while(|piece| {
                // Nothing lies between the place and the piece, and the place is not inside the piece.
                let continues = piece.before <= reached && reached < piece.first;
                reached = piece.through;
                continues
            })
            .cloned()
            .collect();
        Some(match pieces.last() {
            None => After::Forgotten { through: self.through },
            Some(last) => After::Pieces { more: last.through < self.through, pieces },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn piece(before: u64, first: u64, through: u64, bytes: usize) -> Piece {
        Piece { before, through, first, text: "x".repeat(bytes).into() }
    }

    #[test]
    fn memory_is_bounded_both_ways() {
        let mut ring = Ring::default();
        for seq in 1..=1_000 {
            ring.push(piece(seq - 1, seq, seq, 10));
        }
        assert_eq!(ring.pieces.len(), MAX_PIECES);
        assert_eq!(ring.after(1_000), None);
        assert_eq!(ring.after(0), Some(After::Forgotten { through: 1_000 }));
        ring.push(piece(1_000, 1_001, 1_001, MAX_BYTES + 1));
        assert_eq!((ring.pieces.len(), ring.bytes), (0, 0));
        assert_eq!(ring.after(1_000), Some(After::Forgotten { through: 1_001 }));
    }

    #[test]
    fn a_hole_is_read_from_the_store() {
        let mut ring = Ring::default();
        ring.push(piece(0, 1, 2, 1));
        ring.push(piece(4, 5, 6, 1));
        ring.push(piece(2, 3, 4, 1));
        assert_eq!(ring.pieces.len(), 2, "it came too late");
        assert!(matches!(ring.after(0), Some(After::Pieces { pieces, more: true }) if pieces.len() == 1));
        assert_eq!(ring.after(2), Some(After::Forgotten { through: 6 }));
        assert!(matches!(ring.after(4), Some(After::Pieces { pieces, more: false }) if pieces.len() == 1));
        assert!(!ring.learn(6), "known");
        assert!(ring.learn(9));
        assert_eq!(ring.after(6), Some(After::Forgotten { through: 9 }));
        ring.push(piece(9, 10, 11, 1));
        assert!(matches!(ring.after(9), Some(After::Pieces { .. })));
    }

    proptest! {
        /// Whatever the place and the pieces: what is handed out begins right after the place, and leaves
        /// nothing out.
        #[test]
        fn pieces_continue_the_place(steps in proptest::collection::vec((0..3_u64, 1..5_u64), 1..100), place in 0..400_u64) {
            let mut ring = Ring::default();
            let mut through = 0;
            for (rejected, stored) in steps {
                ring.push(piece(through, through + rejected + 1, through + rejected + stored, 1));
                through += rejected + stored;
            }
            match ring.after(place) {
                None => prop_assert!(place >= through),
                Some(After::Forgotten { through: known }) => prop_assert_eq!(known, through),
                Some(After::Pieces { pieces, more }) => {
                    let mut reached = place;
                    for piece in pieces {
                        prop_assert!(piece.before <= reached && reached < piece.first);
                        reached = piece.through;
                    }
                    prop_assert_eq!(more, reached < through);
                }
            }
        }
    }
}
