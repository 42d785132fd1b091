//! Samples on their way out of SQLite, many in one row: a row that crosses from its thread to ours costs several times
//! what it costs to find and to decode the sample in it. While one pack is decoded here, SQLite builds the next.

use std::pin::pin;

use futures_util::FutureExt as _;
use mien_shared::Sample;
use mien_shared::api::{SourceName, StoredSample};
use mien_shared::limits::{MAX_FACES, MAX_SAFE_INTEGER};
use mien_shared::series::SeriesBuilder;
use sqlx::SqliteConnection;

use crate::store::codec::{self, CodecFault, FACE_BYTES};
use crate::store::error::Result;
use crate::store::queries::samples::Range;
use crate::store::value::{signed, unsigned};

/// Samples that are transferred together: enough to make the cost of crossing negligible, and at most 2 MB.
const ROWS: usize = 1_000;
/// More than the number of faces in any sample of version 1; multiplied by the largest time it still fits SQLite's
/// integers.
const STAMP_FACES: i64 = 64;
const _: () =
    assert!(MAX_FACES < STAMP_FACES as usize && MAX_SAFE_INTEGER < i64::MAX as u64 / STAMP_FACES as u64);

/// Samples of one source that were transferred together, column by column.
#[derive(Debug, Default)]
pub(super) struct Pack {
    pub(super) seqs: Vec<i64>,
    pub(super) ats: Vec<i64>,
    /// Bytes of each sample in `faces`.
    pub(super) lengths: Vec<i64>,
    pub(super) faces: Vec<u8>,
}

impl Pack {
    /// Hands out its samples, in order.
    pub(super) fn unpack(&self, mut keep: impl FnMut(Sample)) -> Result<()> {
        let mut rest = &self.faces[..];
        for ((&seq, &at), &length) in self.seqs.iter().zip(&self.ats).zip(&self.lengths) {
            let (faces, others) = rest.split_at_checked(length as usize).ok_or(CodecFault::Length)?;
            rest = others;
            keep(codec::decode(unsigned(seq), unsigned(at), faces)?);
        }
        Ok(())
    }
}

/// The first samples of a range, by seq, at most `max`.
pub(super) async fn read(reader: &mut SqliteConnection, range: Range<'_>, max: usize) -> Result<Pack> {
    let Range { key, after, through, query } = range;
    // As text, bytes are concatenated as they are: a cast changes none, and the length counts, not a zero byte.
    let (seqs, ats, lengths, faces): (String, String, String, Option<Vec<u8>>) = sqlx::query_as(
        "SELECT json_group_array(seq), json_group_array(at), json_group_array(length(faces)), \
         CAST(group_concat(CAST(faces AS TEXT), '') AS BLOB) FROM ( \
             SELECT seq, at, faces FROM samples WHERE source_key = ? AND seq > ? AND seq <= ? \
             AND at >= ? AND at < ? ORDER BY seq LIMIT ? \
         )",
    )
    .bind(key)
    .bind(after)
    .bind(through)
    .bind(signed(query.from.unwrap_or(0)))
    .bind(signed(query.to.unwrap_or(u64::MAX)))
    .bind(max as i64)
    .fetch_one(reader)
    .await?;
    Ok(Pack {
        seqs: numbers(&seqs)?,
        ats: numbers(&ats)?,
        lengths: numbers(&lengths)?,
        faces: faces.unwrap_or_default(),
    })
}

/// Appends the samples of a range until there are `max` rows.
pub(super) async fn append(
    rows: &mut Vec<StoredSample>,
    max: usize,
    source: &SourceName,
    mut range: Range<'_>,
    reader: &mut SqliteConnection,
) -> Result<()> {
    let chunk = |rows: usize| ROWS.min(max - rows);
    let mut pack = read(reader, range, chunk(rows.len())).await?;
    loop {
        let reached = rows.len() + pack.seqs.len();
        let is_last = pack.seqs.len() < chunk(rows.len()) || reached == max;
        range.after = pack.seqs.last().copied().unwrap_or(range.through);
        let mut next = pin!(read(reader, range, chunk(reached)));
        // Asked for before this one is decoded.
        let begun = if is_last { None } else { next.as_mut().now_or_never() };
        pack.unpack(|sample| rows.push(StoredSample { source: source.clone(), sample }))?;
        if is_last {
            return Ok(());
        }
        pack = match begun {
            Some(pack) => pack?,
            None => next.await?,
        };
    }
}

/// Adds the samples of a range to a series, and returns how many they were. All are transferred together.
pub(super) async fn add_to_series(
    reader: &mut SqliteConnection,
    source: &SourceName,
    Range { key, after, through, query }: Range<'_>,
    series: &mut SeriesBuilder,
) -> Result<u64> {
    // The time and the number of faces as one number, as another list costs as much as finding the rows. Only for
    // version 1 is it the number of faces, because that version does not say where it ends; everything else does so
    // itself.
    let (stamps, faces): (String, Option<Vec<u8>>) = sqlx::query_as(
        "SELECT json_group_array(at * ?1 + min((length(faces) - 1) / ?2, ?1 - 1)), \
         CAST(group_concat(CAST(faces AS TEXT), '') AS BLOB) FROM samples \
         WHERE source_key = ?3 AND seq > ?4 AND seq <= ?5 AND at >= ?6 AND at < ?7",
    )
    .bind(STAMP_FACES)
    .bind(FACE_BYTES as i64)
    .bind(key)
    .bind(after)
    .bind(through)
    .bind(signed(query.from.unwrap_or(0)))
    .bind(signed(query.to.unwrap_or(u64::MAX)))
    .fetch_one(reader)
    .await?;
    let stamps = numbers(&stamps)?;
    let faces = faces.unwrap_or_default();
    let mut rest = &faces[..];
    for stamp in &stamps {
        let (shown, others) = codec::first_shown(rest, Some((stamp % STAMP_FACES) as usize))?;
        rest = others;
        series.add(source, unsigned(stamp / STAMP_FACES), shown);
    }
    if !rest.is_empty() {
        return Err(CodecFault::Length.into());
    }
    Ok(stamps.len() as u64)
}

fn numbers(list: &str) -> Result<Vec<i64>> {
    Ok(serde_json::from_str(list).map_err(|cause| sqlx::Error::Decode(cause.into()))?)
}
