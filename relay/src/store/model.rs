//! What goes into and comes out of the store.

use std::fmt;
use std::str::FromStr;

use mien_shared::api::{Session, SourceName};
use mien_shared::protocol::RefusedSample;
use mien_shared::{Sample, SessionId};

/// One page of a list, with the cursor of the next page if there is one.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T, C> {
    pub rows: Vec<T>,
    pub next: Option<C>,
}

impl<T, C> Page<T, C> {
    /// The first `limit` of the rows found; one more than that means that there is a next page.
    pub(super) fn cut(mut rows: Vec<T>, limit: usize, cursor: impl FnOnce(&T) -> C) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(cursor);
        Self { rows, next }
    }
}

/// What became of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Here(Session),
    /// It existed and was erased.
    Erased,
    Never,
}

/// Position in a list of sessions: the id of the last one seen. Its text is the id's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionCursor(pub SessionId);

impl fmt::Display for SessionCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SessionCursor {
    type Err = BadCursor;
    fn from_str(text: &str) -> Result<Self, BadCursor> {
        text.parse().map(Self).map_err(|_| BadCursor)
    }
}

/// A cursor that this relay did not make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this list")]
pub struct BadCursor;

/// Position in a list of samples or gaps: the last one seen. Its text is `source.seq`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleCursor {
    pub source: SourceName,
    pub seq: u64,
}

impl fmt::Display for SampleCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.source, self.seq)
    }
}

impl FromStr for SampleCursor {
    type Err = BadCursor;
    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let (source, seq) = text.split_once('.').ok_or(BadCursor)?;
        let seq: u64 = seq.parse().map_err(|_| BadCursor)?;
        if seq > mien_shared::limits::MAX_SAFE_INTEGER {
            return Err(BadCursor);
        }
        Ok(Self { source: source.parse().map_err(|_| BadCursor)?, seq })
    }
}

/// Which samples of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleQuery {
    pub source: Option<SourceName>,
    /// First `at` that counts, Unix milliseconds.
    pub from: Option<u64>,
    /// First `at` that no longer counts.
    pub to: Option<u64>,
    pub after: Option<SampleCursor>,
    /// 1 or more.
    pub limit: u32,
}

/// A stretch of one source's recording: its seqs above `after`, up to `through`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub source: SourceName,
    pub key: SourceKey,
    pub after: u64,
    pub through: u64,
}

/// Which gaps of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GapQuery {
    pub source: Option<SourceName>,
    /// Source and first seq of the last one seen.
    pub after: Option<SampleCursor>,
    /// 1 or more.
    pub limit: u32,
}

/// What a source has been answered for. `through` = `stored` + `rejected` + the seqs in its gaps, as long as none of
/// these is a merged one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    pub source: SourceName,
    /// The highest seq that was stored or rejected; 0 before the first.
    pub through: u64,
    pub stored: u64,
    pub rejected: u64,
    /// `at` of the earliest and of the latest stored sample, Unix milliseconds.
    pub first_at: Option<u64>,
    pub last_at: Option<u64>,
    /// Seqs that never came, `[from, to]`, both inclusive, ascending: the first
    /// [`MAX_LISTED_GAPS`](mien_shared::limits::MAX_LISTED_GAPS).
    pub gaps: Vec<[u64; 2]>,
    /// How many there are.
    pub gaps_total: u64,
    /// Whether the last ones were merged, and so contain seqs that came.
    pub gaps_merged: bool,
    /// The most faces of one sample that have landmarks.
    pub landmarks: u64,
}

/// How far a source has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    pub source: SourceName,
    /// The highest seq that was stored or rejected; 0 before the first.
    pub through: u64,
    /// The highest seq that is stored; 0 before the first. Below `through` where the latest ones were rejected.
    pub newest: u64,
}

/// A source's number in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceKey(pub i64);

/// One sample as it came from a client: valid, or refused on its own.
pub type Item = Result<Sample, RefusedSample>;

/// The samples of one message.
#[derive(Clone, Debug)]
pub struct Batch {
    pub source: SourceKey,
    pub items: Vec<Item>,
}

/// What became of one sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Stored,
    /// It was already durable.
    Duplicate,
    /// Refused on its own account (the batch's item says why).
    Invalid,
    /// It came after a later one.
    OutOfOrder,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Taken(Take),
    /// The session has ended: nothing of the batch was taken.
    Ended,
}

/// What became of the samples of a batch that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Take {
    /// The source's `through` before and after the batch.
    pub before: u64,
    pub through: u64,
    /// One for each item, in order.
    pub fates: Vec<Fate>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_read_back() {
        let cursor = SampleCursor { source: "cam-2".parse().unwrap(), seq: 17 };
        assert_eq!(cursor.to_string(), "cam-2.17");
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for bad in ["", "main", "main.", ".1", "Main.1", "main.-1", "main.9007199254740992"] {
            assert_eq!(bad.parse::<SampleCursor>(), Err(BadCursor), "{bad}");
        }
        assert!("x".parse::<SessionCursor>().is_err());
    }
}
