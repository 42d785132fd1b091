//! How a file's name is written: in results, and to a person.

use std::fmt::Write as _;
use std::path::Path;

/// What stands for the name of a stream that has none.
pub(crate) const STREAM: &str = "<stdin>";

/// For results: as it is, with each byte that is no UTF-8 as `\xFF`, so that two such files keep two names.
pub(crate) fn text(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\x{byte:02X}");
        }
    }
    text
}

/// For a person: on one line, and with nothing in it that a terminal obeys.
pub(crate) fn shown(path: &Path) -> String {
    printable(&text(path))
}

pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() { shown.extend(letter.escape_default()) } else { shown.push(letter) }
    }
    shown
}

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    #[test]
    fn every_name_is_text_and_stays_on_its_line() {
        for (bytes, in_results, to_a_person) in [
            (&b"a b.png"[..], "a b.png", "a b.png"),
            ("é\"'.png".as_bytes(), "é\"'.png", "é\"'.png"),
            (b"a\nb.png", "a\nb.png", "a\\nb.png"),
            (b"\x1B[2J.png", "\x1B[2J.png", "\\u{1b}[2J.png"),
            (b"a\xFFb\xC3.png", "a\\xFFb\\xC3.png", "a\\xFFb\\xC3.png"),
        ] {
            let path = Path::new(OsStr::from_bytes(bytes));
            assert_eq!((&*text(path), &*shown(path)), (in_results, to_a_person));
        }
    }
}
