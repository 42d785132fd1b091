//! Reading a series: mean scores by bucket, over any length of time.
//!
//! The seqs are cut into pieces of a few thousand, which two readers take alternately: a row costs the database as much as
//! it costs us, and a connection has one processor there. Each piece needs a permit, as all long reads do.

use std::sync::{Arc, Mutex, PoisonError};

use mien_shared::SessionId;
use mien_shared::series::SeriesBuilder;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tracing::Instrument;

use super::chunks::{joined, rows_with_landmarks};
use crate::limits::{ReadPermit, ReadPermits};
use crate::store::deadline::within_deadline;
use crate::store::{SampleQuery, Store, StoreError, Stretch};

const READERS: usize = 2;
/// Samples read at a time: few enough to keep memory flat, and many enough to hide the cost of a query. Fewer where
/// they have landmarks, which are read with the rest.
const CHUNK_ROWS: u32 = 8_000;

/// Buckets of the samples of `query`, which has no cursor, and whose limit is ignored. Once there are more than `most`,
/// reading ends, and the result is incomplete.
pub async fn read(
    store: &Store,
    id: SessionId,
    query: &SampleQuery,
    resolution_ms: u64,
    most: usize,
    permits: &ReadPermits,
) -> Result<SeriesBuilder, StoreError> {
    let landmarks = within_deadline(store.most_landmarks(id)).await?;
    let rows = rows_with_landmarks(CHUNK_ROWS, landmarks);
    let pieces = Pieces::new(within_deadline(store.stretches(id, query)).await?, rows);
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let (store, pieces, query, permits) =
            (store.clone(), Arc::clone(&pieces), query.clone(), permits.clone());
        let read = async move {
            let mut series = SeriesBuilder::new(resolution_ms);
            while series.reached() <= most
                && let Some(piece) = pieces.next()
            {
                let permit = permits.acquire().await;
                let found;
                (series, found) = add(&store, permit, &piece, &query, series).await?;
                if found == 0 {
                    pieces.skip_gap(&store, &piece).await?;
                }
            }
            Ok::<_, StoreError>(series)
        };
        readers.spawn(read.in_current_span());
    }
    let mut series = SeriesBuilder::new(resolution_ms);
    while let Some(part) = readers.join_next().await {
        series.merge(joined(part)??);
    }
    Ok(series)
}

/// Adds a piece, and says how many samples were in it. Thousands of rows are work and not only waiting, so this is done
/// on a blocking thread, and sockets do not wait for it. For a caller that is gone at most this piece is read in vain,
/// with its permit held until then: so there are never more of these threads than permits.
async fn add(
    store: &Store,
    permit: ReadPermit,
    piece: &Stretch,
    query: &SampleQuery,
    mut series: SeriesBuilder,
) -> Result<(SeriesBuilder, u64), StoreError> {
    let (store, piece, query) = (store.clone(), piece.clone(), query.clone());
    let work = async move {
        let found = within_deadline(store.add_to_series(&piece, &query, &mut series)).await?;
        drop(permit);
        Ok((series, found))
    };
    let (runtime, work) = (Handle::current(), work.in_current_span());
    joined(tokio::task::spawn_blocking(move || runtime.block_on(work)).await)?
}

/// What is yet to be read, the next at the end, and how much of it at a time.
struct Pieces {
    rest: Mutex<Vec<Stretch>>,
    rows: u64,
}

impl Pieces {
    fn new(mut stretches: Vec<Stretch>, rows: u32) -> Arc<Self> {
        stretches.reverse();
        Arc::new(Self { rest: Mutex::new(stretches), rows: u64::from(rows) })
    }

    fn next(&self) -> Option<Stretch> {
        let mut rest = self.rest();
        let stretch = rest.last_mut()?;
        let piece = Stretch { through: stretch.through.min(stretch.after + self.rows), ..stretch.clone() };
        stretch.after = piece.through;
        if stretch.after == stretch.through {
            rest.pop();
        }
        Some(piece)
    }

    /// After an empty piece: there may be more seqs that never came than can be searched piece by piece.
    async fn skip_gap(&self, store: &Store, empty: &Stretch) -> Result<(), StoreError> {
        let Some(stretch) = self.rest().last().filter(|stretch| stretch.key == empty.key).cloned() else {
            return Ok(());
        };
        let first = within_deadline(store.first_seq(&stretch)).await?;
        let mut rest = self.rest();
        // The other reader may have moved on meanwhile.
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
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
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
        let stretches = vec![stretch(1, 5, 6), stretch(2, 0, 2 * chunk), stretch(3, 9, chunk + 10)];
        let pieces = Pieces::new(stretches, CHUNK_ROWS);
        let all: Vec<_> = std::iter::from_fn(|| pieces.next())
            .map(|piece| (piece.key.0, piece.after, piece.through))
            .collect();
        assert_eq!(
            all,
            [(1, 5, 6), (2, 0, chunk), (2, chunk, 2 * chunk), (3, 9, chunk + 9), (3, chunk + 9, chunk + 10)]
        );
    }
}
