//! Reading gaps: all of a session, page by page.

use mien_shared::SessionId;
use mien_shared::api::{SourceGap, SourceName};

use crate::store::backend::Backend;
use crate::store::error::Result;
use crate::store::model::{GapQuery, Page, SampleCursor};
use crate::store::value::{signed, source_name};

/// How a backend reads the gaps of one source.
pub(in crate::store) trait GapReader: Backend {
    /// Gaps that begin above `after`, ascending, at most `max`, each with whether it is a merged one.
    fn gaps_after(
        &mut self,
        source: i64,
        after: i64,
        max: usize,
    ) -> impl Future<Output = Result<Vec<(u64, u64, bool)>>> + Send;

    /// The first gaps, at most `max`, and whether any gap at all is a merged one.
    fn first_gaps(
        &mut self,
        source: i64,
        max: usize,
    ) -> impl Future<Output = Result<(Vec<[u64; 2]>, bool)>> + Send;
}

/// One page, ordered by source name, then seq.
pub(in crate::store) async fn page(
    reader: &mut impl GapReader,
    id: SessionId,
    query: &GapQuery,
) -> Result<Page<SourceGap, SampleCursor>> {
    let sources: Vec<(i64, String)> = reader
        .fetch_all(
            "SELECT s.key, s.name FROM sources s JOIN sessions e ON e.id = s.session_id \
             WHERE s.session_id = $1 AND s.name >= $2 AND (CAST($3 AS text) IS NULL OR s.name = $3) \
             AND s.gap_count > 0 ORDER BY s.name",
            &[
                id.0.into(),
                query.after.as_ref().map_or("", |after| after.source.as_str()).into(),
                query.source.as_ref().map(SourceName::as_str).into(),
            ],
        )
        .await?;
    let limit = query.limit as usize;
    let mut rows: Vec<SourceGap> = Vec::new();
    for (key, name) in sources {
        let source = source_name(&name)?;
        let after = query.after.as_ref().filter(|after| after.source == source);
        let after = after.map_or(0, |after| signed(after.seq));
        let found = reader.gaps_after(key, after, limit + 1 - rows.len()).await?;
        let gap = |(from, to, merged)| SourceGap { source: source.clone(), from, to, merged };
        rows.extend(found.into_iter().map(gap));
        if rows.len() > limit {
            break;
        }
    }
    Ok(Page::cut(rows, limit, |last| SampleCursor { source: last.source.clone(), seq: last.from }))
}
