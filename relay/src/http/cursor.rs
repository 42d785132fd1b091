//! Cursors of paged lists: where the next page begins, opaque to clients.
//!
//! A cursor is the place itself, not a handle: the relay keeps nothing between two pages, and a cursor works
//! on any replica and after a restart.

use std::fmt::Display;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::problem::{ApiError, ApiResult};

/// The longest cursor that is looked at; ours have under 120 characters.
const MAX_CHARS: usize = 256;

/// Writes a place of the list `list`, whose name keeps its cursors from being taken by another list.
pub(super) fn encode(list: &str, place: impl Display) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}:{place}"))
}

/// Reads a place of the list `list`.
pub(super) fn decode<T: FromStr>(list: &str, cursor: &str) -> ApiResult<T> {
    let place = || {
        if cursor.len() > MAX_CHARS {
            return None;
        }
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        text.strip_prefix(list)?.strip_prefix(':')?.parse().ok()
    };
    place().ok_or_else(|| ApiError::malformed("cursor is not one that this list gave out"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back() {
        assert_eq!(decode::<u64>("samples", &encode("samples", 7)).unwrap(), 7);
    }

    #[test]
    fn foreign_cursors_are_refused() {
        let long = "A".repeat(1_000);
        for bad in ["", "!", "AAAA", "ä", &encode("sessions", 1), &encode("samples", "x"), &long] {
            assert!(decode::<u64>("samples", bad).is_err(), "{bad}");
        }
    }
}
