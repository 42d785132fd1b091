//! Reading samples: by session, in a stable order, a page at a time.
//!
//! A page is found by key, never by offset, so the last page of a long recording costs as much as the first.

use mien_shared::SessionId;
use mien_shared::api::{SourceName, StoredSample};

use crate::store::backend::Backend;
use crate::store::error::Result;
use crate::store::model::{Page, SampleCursor, SampleQuery, SourceKey, Stretch};
use crate::store::value::{signed, source_name, unsigned};

/// Samples of one source that a query may be about.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Range<'a> {
    pub(in crate::store) key: i64,
    /// Seqs above this one …
    pub(in crate::store) after: i64,
    /// … and up to this one.
    pub(in crate::store) through: i64,
    /// The time in which they lie.
    pub(in crate::store) query: &'a SampleQuery,
}

/// How a backend reads the samples of one source.
pub(in crate::store) trait SampleReader: Backend {
    /// A seq of the range up to which every sample is before `at`, and above which none is; if the source is in
    /// disorder, except for samples within that disorder.
    fn last_before(&mut self, range: Range<'_>, at: i64) -> impl Future<Output = Result<i64>> + Send;

    /// Appends the samples of a range, by seq, until there are `max` rows.
    fn append(
        &mut self,
        rows: &mut Vec<StoredSample>,
        max: usize,
        source: &SourceName,
        range: Range<'_>,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// A source as samples are searched in it.
struct Source {
    name: SourceName,
    key: i64,
    through: i64,
    disorder_ms: i64,
}

/// One page, ordered by source name, then seq.
pub(in crate::store) async fn page(
    reader: &mut impl SampleReader,
    id: SessionId,
    query: &SampleQuery,
) -> Result<Page<StoredSample, SampleCursor>> {
    let limit = query.limit as usize;
    let mut rows = Vec::new();
    for source in sources(reader, id, query).await? {
        let after = query.after.as_ref().filter(|after| after.source == source.name);
        let after = after.map_or(0, |after| signed(after.seq));
        let Some(range) = range(reader, &source, after, query).await? else { continue };
        reader.append(&mut rows, limit + 1, &source.name, range).await?;
        if rows.len() > limit {
            break;
        }
    }
    Ok(Page::cut(rows, limit, |last| SampleCursor { source: last.source.clone(), seq: last.sample.seq }))
}

/// Where the samples of a query without a cursor lie, source by source.
pub(in crate::store) async fn stretches(
    reader: &mut impl SampleReader,
    id: SessionId,
    query: &SampleQuery,
) -> Result<Vec<Stretch>> {
    let mut stretches = Vec::new();
    for source in sources(reader, id, query).await? {
        let Some(Range { key, after, through, .. }) = range(reader, &source, 0, query).await? else {
            continue;
        };
        stretches.push(Stretch {
            source: source.name,
            key: SourceKey(key),
            after: unsigned(after),
            through: unsigned(through),
        });
    }
    Ok(stretches)
}

/// The lowest seq of a stretch that is stored.
pub(in crate::store) async fn first_seq(reader: &mut impl Backend, stretch: &Stretch) -> Result<Option<u64>> {
    let (first,): (Option<i64>,) = reader
        .fetch_one(
            "SELECT min(seq) FROM samples WHERE source_key = $1 AND seq > $2 AND seq <= $3",
            &[stretch.key.0.into(), signed(stretch.after).into(), signed(stretch.through).into()],
        )
        .await?;
    Ok(first.map(unsigned))
}

/// The sources that a query is about, by name, starting with the one of its cursor.
async fn sources(reader: &mut impl Backend, id: SessionId, query: &SampleQuery) -> Result<Vec<Source>> {
    let rows: Vec<(i64, String, i64, i64)> = reader
        .fetch_all(
            "SELECT s.key, s.name, s.through, s.disorder_ms FROM sources s JOIN sessions e ON e.id = s.session_id \
             WHERE s.session_id = $1 AND s.name >= $2 AND (CAST($3 AS text) IS NULL OR s.name = $3) \
             ORDER BY s.name",
            &[
                id.0.into(),
                query.after.as_ref().map_or("", |after| after.source.as_str()).into(),
                query.source.as_ref().map(SourceName::as_str).into(),
            ],
        )
        .await?;
    let source = |(key, name, through, disorder_ms): (i64, String, i64, i64)| {
        Ok(Source { name: source_name(&name)?, key, through, disorder_ms })
    };
    rows.into_iter().map(source).collect()
}

/// The range that holds all samples of the query's time above `after`; `None` if there are none.
///
/// Times ascend with the seqs except for the source's disorder. So both ends are found by binary search, in a few dozen
/// look-ups however long the recording is, and without an index by time.
async fn range<'a>(
    reader: &mut impl SampleReader,
    source: &Source,
    after: i64,
    query: &'a SampleQuery,
) -> Result<Option<Range<'a>>> {
    let mut range = Range { key: source.key, after, through: source.through, query };
    // A cursor is beyond the start already.
    if after == 0
        && let Some(from) = query.from
    {
        range.after = reader.last_before(range, signed(from) - source.disorder_ms).await?;
    }
    if let Some(to) = query.to {
        range.through = reader.last_before(range, signed(to).saturating_add(source.disorder_ms)).await?;
    }
    Ok((range.after < range.through).then_some(range))
}
