//! Which part of a file a request asks for (RFC 9110, 14). Media cannot be seeked without: WebKit refuses to
//! play a clip whose server does not answer ranges.

use std::ops::Range;

use axum::http::{HeaderMap, HeaderValue, header};

pub(super) const BYTES: HeaderValue = HeaderValue::from_static("bytes");

/// What to send of a representation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Whole,
    Part(Range<usize>),
    /// No byte of it: 416.
    Nothing,
}

/// `length` and `tag` are those of the representation that was selected, compressed or not. One range is answered;
/// several get the whole, as a server may choose (14.2), and so does what cannot be read. `tag` is strong.
pub(super) fn wanted(headers: &HeaderMap, length: usize, tag: &str) -> Wanted {
    if !is_unchanged(headers, tag) {
        return Wanted::Whole;
    }
    let mut fields = headers.get_all(header::RANGE).into_iter();
    let (Some(field), None) = (fields.next(), fields.next()) else { return Wanted::Whole };
    let Some(asked) = field.to_str().ok().and_then(single) else { return Wanted::Whole };
    // A number that does not fit is beyond every file.
    let within = |place: u64| usize::try_from(place).unwrap_or(length).min(length);
    let part = match asked {
        Asked::Between { first, last } => within(first)..within(last.saturating_add(1)),
        // Of nothing, the last bytes are nothing, and `Content-Range` cannot say so.
        Asked::Last(bytes) if length == 0 && bytes > 0 => return Wanted::Whole,
        Asked::Last(bytes) => length - within(bytes)..length,
    };
    if part.start < part.end { Wanted::Part(part) } else { Wanted::Nothing }
}

#[derive(Clone, Copy, Debug)]
enum Asked {
    /// Both inclusive.
    Between {
        first: u64,
        last: u64,
    },
    Last(u64),
}

/// The one range of a field, or nothing: another unit, several ranges, or no range at all.
fn single(field: &str) -> Option<Asked> {
    let (unit, ranges) = field.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    // Lists may have empty members (5.6.1).
    let mut ranges = ranges.split(',').map(str::trim).filter(|range| !range.is_empty());
    let (range, None) = (ranges.next()?, ranges.next()) else { return None };
    let (first, last) = range.split_once('-')?;
    if first.is_empty() {
        return Some(Asked::Last(number(last)?));
    }
    let first = number(first)?;
    let last = if last.is_empty() { u64::MAX } else { number(last)? };
    (first <= last).then_some(Asked::Between { first, last })
}

/// A number too large for `u64` is beyond every file.
fn number(digits: &str) -> Option<u64> {
    let valid = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// `If-Range` compares strongly (13.1.5). A date never holds, as the files have none.
fn is_unchanged(headers: &HeaderMap, tag: &str) -> bool {
    headers.get(header::IF_RANGE).is_none_or(|known| known.as_bytes().trim_ascii() == tag.as_bytes())
}
