//! Reading a series: mean scores by bucket, over any length of time.
//!
//! What is asked for is cut into pieces of a few thousand seqs, which two readers take in turn: a row costs the
//! database as much as it costs us, and a connection has one processor there. Each piece waits for its turn among all
//! that is read.

use std::sync::{Arc, Mutex, PoisonError};

use mien_shared::SessionId;
use mien_shared::series::SeriesBuilder;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::app::patiently;
use crate::http::problem::{ApiError, ApiResult};
use crate::limits::read_permits::{Turn, Turns};
use crate::store::{CHUNK_ROWS, SampleQuery, Store, Stretch, joined};

const READERS: usize = 2;

/// Buckets of the samples of `query`, which has no cursor, and whose limit does not matter. Once there are more than
/// `most`, reading ends, and what is returned is not whole.
pub async fn read(
    store: &Store,
    id: SessionId,
    query: &SampleQuery,
    resolution_ms: u64,
    most: usize,
    turns: &Turns,
) -> ApiResult<SeriesBuilder> {
    let pieces = Pieces::new(patiently(store.stretches(id, query)).await?);
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let (store, pieces, query, turns) =
            (store.clone(), Arc::clone(&pieces), query.clone(), turns.clone());
        let read = async move {
            let mut series = SeriesBuilder::new(resolution_ms);
            while series.reached() <= most
                && let Some(piece) = pieces.next()
            {
                let turn = turns.next().await;
                let found;
                (series, found) = add(&store, turn, &piece, &query, series).await?;
                if found == 0 {
                    pieces.skip_gap(&store, &piece).await?;
                }
            }
            Ok::<_, ApiError>(series)
        };
        readers.spawn(read.in_current_span());
    }
    let mut series = SeriesBuilder::new(resolution_ms);
    while let Some(part) = readers.join_next().await {
        series.merge(joined(part)??);
    }
    Ok(series)
}

/// Adds a piece, and says how many samples were in it. Thousands of rows are work and not only waiting, so it is done
/// on a thread of its own, and sockets do not wait for it. A caller that is gone has at most this piece read in vain,
/// and has its turn until then: so there are no more of these threads than turns.
async fn add(
    store: &Store,
    turn: Turn,
    piece: &Stretch,
    query: &SampleQuery,
    mut series: SeriesBuilder,
) -> ApiResult<(SeriesBuilder, u64)> {
    let (store, piece, query) = (store.clone(), piece.clone(), query.clone());
    let work = async move {
        let found = patiently(store.add_to_series(&piece, &query, &mut series)).await?;
        drop(turn);
        Ok((series, found))
    };
    let (runtime, work) = (Handle::current(), work.in_current_span());
    joined(tokio::task::spawn_blocking(move || runtime.block_on(work)).await)?
}

/// What is still to be read, the next at the end.
struct Pieces(Mutex<Vec<Stretch>>);

impl Pieces {
    fn new(mut stretches: Vec<Stretch>) -> Arc<Self> {
        stretches.reverse();
        Arc::new(Self(Mutex::new(stretches)))
    }

    fn next(&self) -> Option<Stretch> {
        let mut rest = self.rest();
        let stretch = rest.last_mut()?;
        let piece = Stretch {
            through: stretch.through.min(stretch.after + u64::from(CHUNK_ROWS)),
            ..stretch.clone()
        };
        stretch.after = piece.through;
        if stretch.after == stretch.through {
            rest.pop();
        }
        Some(piece)
    }

    /// After a piece in which nothing was: seqs that never came may be more than anyone can look for.
    async fn skip_gap(&self, store: &Store, empty: &Stretch) -> ApiResult<()> {
        let Some(stretch) = self.rest().last().filter(|stretch| stretch.key == empty.key).cloned() else {
            return Ok(());
        };
        let first = patiently(store.first_seq(&stretch)).await?;
        let mut rest = self.rest();
        // The other reader has gone on meanwhile.
        if let Some(current) = rest.last_mut().filter(|current| current.key == empty.key) {
            current.after = current.after.max(first.map_or(current.through, |first| first - 1));
            if current.after == current.through {
                rest.pop();
            }
        }
        Ok(())
    }

    fn rest(&self) -> std::sync::MutexGuard<'_, Vec<Stretch>> {
        // It is whole between any two lines, whatever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use mien_shared::api::SourceName;

    use super::*;
    use crate::store::SourceKey;

    #[test]
    fn pieces_cover_each_stretch_once() {
        let chunk = u64::from(CHUNK_ROWS);
        let stretch = |key, after, through| Stretch {
            source: SourceName::default(),
            key: SourceKey(key),
            after,
            through,
        };
        let pieces = Pieces::new(vec![stretch(1, 5, 6), stretch(2, 0, 2 * chunk), stretch(3, 9, chunk + 10)]);
        let all: Vec<_> = std::iter::from_fn(|| pieces.next())
            .map(|piece| (piece.key.0, piece.after, piece.through))
            .collect();
        assert_eq!(
            all,
            [(1, 5, 6), (2, 0, chunk), (2, chunk, 2 * chunk), (3, 9, chunk + 9), (3, chunk + 9, chunk + 10)]
        );
    }
}
