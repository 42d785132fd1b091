//! Cursors of paged lists: where the next page begins, opaque to clients.
//!
//! A cursor is the position itself, not a handle: the relay keeps nothing between two pages, and a cursor works on any
//! relay and after a restart. Its pattern is part of the contract: what fits the pattern is a position, and nothing else
//! is.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mien_shared::limits::MAX_SAFE_INTEGER;
use mien_shared::schema::source_chars;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::problem::{ApiError, ApiResult};
use super::query::Params;
use crate::store::{SampleCursor, SessionCursor};

/// The longest cursor that is looked at; ours have under 60 characters.
const MAX_CHARS: usize = 256;

/// A position in a list.
pub(super) trait Position: FromStr {
    /// Of the list, in cursors of relays up to 0.1: base64 of the name, a colon and the position as [`FromStr`] reads it.
    const LIST: &str;

    fn write(&self) -> String;
    /// May be lenient: only what [`Position::write`] writes is accepted.
    fn read(text: &str) -> Option<Self>;
}

impl Position for SessionCursor {
    const LIST: &str = "sessions:";

    fn write(&self) -> String {
        self.to_string()
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Position for SampleCursor {
    const LIST: &str = "samples:";

    /// Hexadecimal, as a pattern can then say what the largest seq is.
    fn write(&self) -> String {
        format!("{}.{:x}", self.source, self.seq)
    }

    fn read(text: &str) -> Option<Self> {
        let (source, seq) = text.split_once('.')?;
        let seq = u64::from_str_radix(seq, 16).ok().filter(|seq| (1..=MAX_SAFE_INTEGER).contains(seq))?;
        Some(Self { source: source.parse().ok()?, seq })
    }
}

/// The `cursor` of a request, if it has one.
pub(super) fn read<P: Position>(params: &Params) -> ApiResult<Option<P>> {
    let Some(text) = params.text("cursor")? else { return Ok(None) };
    decode(text).map(Some).ok_or_else(|| ApiError::malformed("cursor is not one that this list gave out"))
}

fn decode<P: Position>(text: &str) -> Option<P> {
    if text.len() > MAX_CHARS {
        return None;
    }
    P::read(text).filter(|position| position.write() == text).or_else(|| decode_packed(text))
}

/// A client may have its cursor from a relay that was upgraded since.
fn decode_packed<P: Position>(text: &str) -> Option<P> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    text.strip_prefix(P::LIST)?.parse().ok()
}

/// What a cursor of the list of sessions looks like.
pub(super) enum SessionsCursor {}

/// What a cursor of a list of samples looks like.
pub(super) enum SamplesCursor {}

impl PartialSchema for SessionsCursor {
    fn schema() -> RefOr<Schema> {
        schema("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    }
}

impl PartialSchema for SamplesCursor {
    fn schema() -> RefOr<Schema> {
        // 2^53 − 1 is 1fffffffffffff.
        schema(&format!(r"^{}\.([1-9a-f][0-9a-f]{{0,12}}|1[0-9a-f]{{13}})$", source_chars()))
    }
}

impl ToSchema for SessionsCursor {}
impl ToSchema for SamplesCursor {}

fn schema(pattern: &str) -> RefOr<Schema> {
    Schema::from(ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).build()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(source: &str, seq: u64) -> SampleCursor {
        SampleCursor { source: source.parse().unwrap(), seq }
    }

    #[test]
    fn a_cursor_reads_back() {
        for there in [place("cam-2", 1), place("0", MAX_SAFE_INTEGER), place(&"x".repeat(32), 0xabc)] {
            assert_eq!(decode(&there.write()), Some(there));
        }
        let session: SessionCursor = "0193c0de-0000-7000-8000-00000000000a".parse().unwrap();
        assert_eq!(decode(&session.write()), Some(session));
    }

    #[test]
    fn a_cursor_of_an_older_relay_is_read_too() {
        assert_eq!(decode("c2FtcGxlczpjYW0tMi4xNw"), Some(place("cam-2", 17)));
        assert_eq!(decode::<SessionCursor>("c2FtcGxlczpjYW0tMi4xNw"), None);
    }

    #[test]
    fn what_this_list_did_not_give_out_is_refused() {
        let session = "0193c0de-0000-7000-8000-00000000000a";
        let long = "A".repeat(1_000);
        for bad in [
            "",
            "!",
            "AAAA",
            "ä",
            "main",
            "main.",
            "main.0",
            "main.01",
            "main.+1",
            "main.F",
            "Main.1",
            "main.20000000000000",
            session,
            &long,
        ] {
            assert_eq!(decode::<SampleCursor>(bad), None, "{bad}");
        }
        for bad in
            ["", "main.1", &session.to_uppercase(), &session.replace('-', ""), &format!("{{{session}}}")]
        {
            assert_eq!(decode::<SessionCursor>(bad), None, "{bad}");
        }
    }
}
