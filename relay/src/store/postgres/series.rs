//! Reading samples into a series by `COPY`, which transfers no more of a row than a series needs.

use futures_util::TryStreamExt;
use mien_shared::series::SeriesBuilder;

use super::connections::PostgresStore;
use crate::store::codec::{self, CodecFault};
use crate::store::error::Result;
use crate::store::model::{SampleQuery, Stretch};
use crate::store::value::{signed, unsigned};

/// What precedes the first row: 11 bytes of signature, flags, and the length of an extension, which is unused.
const HEAD_BYTES: usize = 19;

impl PostgresStore {
    pub async fn add_to_series(
        &self,
        stretch: &Stretch,
        query: &SampleQuery,
        series: &mut SeriesBuilder,
    ) -> Result<u64> {
        let mut reader = self.lease().await?;
        // It accepts no parameters; all of these are numbers.
        let statement = format!(
            "COPY (SELECT at, faces FROM samples WHERE source_key = {} AND seq > {} AND seq <= {} \
             AND at >= {} AND at < {}) TO STDOUT (FORMAT binary)",
            stretch.key.0,
            signed(stretch.after),
            signed(stretch.through),
            signed(query.from.unwrap_or(0)),
            signed(query.to.unwrap_or(u64::MAX)),
        );
        let mut messages = reader.copy_out_raw(&statement).await?;
        let (mut rows, mut head) = (0, HEAD_BYTES);
        while let Some(message) = messages.try_next().await? {
            let message = message.get(std::mem::take(&mut head)..).ok_or(CodecFault::Length)?;
            if let Some((at, faces)) = read(message)? {
                series.add(&stretch.source, unsigned(at), codec::shown(faces)?);
                rows += 1;
            }
        }
        drop(messages);
        reader.give_back();
        Ok(rows)
    }
}

/// A message in the format described at <https://www.postgresql.org/docs/current/sql-copy.html> under "Binary Format":
/// the number of fields, then the length and the bytes of each; or the end marker.
fn read(message: &[u8]) -> std::result::Result<Option<(i64, &[u8])>, CodecFault> {
    let (fields, rest) = message.split_first_chunk().ok_or(CodecFault::Length)?;
    if i16::from_be_bytes(*fields) == -1 {
        return Ok(None);
    }
    let (at, rest) = rest.split_at_checked(12).ok_or(CodecFault::Length)?;
    let at = at.last_chunk().ok_or(CodecFault::Length)?;
    let (_, faces) = rest.split_at_checked(4).ok_or(CodecFault::Length)?;
    Ok(Some((i64::from_be_bytes(*at), faces)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_read() {
        let row = [0, 2, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 9];
        assert_eq!(read(&row), Ok(Some((258, &[9][..]))));
        assert_eq!(read(&[0xff, 0xff]), Ok(None));
        for length in [0, 1, 2, 5, 13, 17] {
            assert_eq!(read(&row[..length]), Err(CodecFault::Length), "{length}");
        }
    }
}
