//! Sources: what each has been answered for.

use mien_shared::SessionId;
use mien_shared::api::SourceName;
use mien_shared::limits::MAX_LISTED_GAPS;

use super::gaps::GapReader;
use crate::store::backend::Backend;
use crate::store::error::Result;
use crate::store::model::{Reach, SourceState};
use crate::store::value::{source_name, unsigned};

/// `through` of each source, by name.
pub(in crate::store) async fn throughs(
    reader: &mut impl Backend,
    id: SessionId,
) -> Result<Vec<(SourceName, u64)>> {
    let rows: Vec<(String, i64)> = reader
        .fetch_all(
            // Nothing for a session that is gone, though its samples may still be there.
            "SELECT s.name, s.through FROM sources s JOIN sessions e ON e.id = s.session_id \
             WHERE s.session_id = $1 ORDER BY s.name",
            &[id.0.into()],
        )
        .await?;
    rows.into_iter().map(|(name, through)| Ok((source_name(&name)?, unsigned(through)))).collect()
}

/// The most faces of one sample of the session that have landmarks.
pub(in crate::store) async fn most_landmarks(reader: &mut impl Backend, id: SessionId) -> Result<u64> {
    let (most,): (Option<i64>,) = reader
        .fetch_one(
            "SELECT max(s.landmarks) FROM sources s JOIN sessions e ON e.id = s.session_id \
             WHERE s.session_id = $1",
            &[id.0.into()],
        )
        .await?;
    Ok(most.map_or(0, unsigned))
}

/// How far each source has come, by name.
pub(in crate::store) async fn reaches(reader: &mut impl Backend, id: SessionId) -> Result<Vec<Reach>> {
    let rows: Vec<(String, i64, Option<i64>)> = reader
        .fetch_all(
            // The newest sample takes one step in the key's index.
            "SELECT s.name, s.through, (SELECT max(m.seq) FROM samples m WHERE m.source_key = s.key) \
             FROM sources s JOIN sessions e ON e.id = s.session_id WHERE s.session_id = $1 ORDER BY s.name",
            &[id.0.into()],
        )
        .await?;
    let reach = |(name, through, newest): (String, i64, Option<i64>)| {
        let source = source_name(&name)?;
        Ok(Reach { source, through: unsigned(through), newest: newest.map_or(0, unsigned) })
    };
    rows.into_iter().map(reach).collect()
}

/// Key, name, `through`, stored, rejected, the earliest and the latest `at`, how many gaps there are, and the most faces
/// with landmarks.
type StateRow = (i64, String, i64, i64, i64, Option<i64>, Option<i64>, i64, i64);

/// What each source has been answered for, by name, with its first gaps. In a snapshot, so that counts and gaps agree.
pub(in crate::store) async fn states(
    snapshot: &mut impl GapReader,
    id: SessionId,
) -> Result<Vec<SourceState>> {
    let rows: Vec<StateRow> = snapshot
        .fetch_all(
            "SELECT s.key, s.name, s.through, s.stored, s.rejected, s.first_at, s.last_at, s.gap_count, \
             s.landmarks \
             FROM sources s JOIN sessions e ON e.id = s.session_id WHERE s.session_id = $1 ORDER BY s.name",
            &[id.0.into()],
        )
        .await?;
    let mut states = Vec::with_capacity(rows.len());
    for (key, name, through, stored, rejected, first_at, last_at, gap_count, landmarks) in rows {
        let (gaps, gaps_merged) = match gap_count {
            0 => (Vec::new(), false),
            _ => snapshot.first_gaps(key, MAX_LISTED_GAPS).await?,
        };
        states.push(SourceState {
            source: source_name(&name)?,
            through: unsigned(through),
            stored: unsigned(stored),
            rejected: unsigned(rejected),
            first_at: first_at.map(unsigned),
            last_at: last_at.map(unsigned),
            gaps,
            gaps_total: unsigned(gap_count),
            gaps_merged,
            landmarks: unsigned(landmarks),
        });
    }
    Ok(states)
}
