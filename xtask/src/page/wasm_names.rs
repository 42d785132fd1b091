//! Removes the section of function names from a WebAssembly module: it is an eighth of the download, and only a
//! debugger reads it. Code is left as it is.

use anyhow::{Context as _, ensure};

const HEADER: &[u8] = b"\0asm\x01\0\0\0";
const CUSTOM_SECTION: u8 = 0;

/// The module without its `name` section (WebAssembly core specification, appendix "Custom Sections").
pub(crate) fn without_names(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    ensure!(module.starts_with(HEADER), "not a WebAssembly module");
    let mut kept = HEADER.to_vec();
    let mut rest = &module[HEADER.len()..];
    while let Some((&id, after_id)) = rest.split_first() {
        let (size, content) = read_number(after_id)?;
        let (content, next) = content.split_at_checked(size).context("a section ends too early")?;
        if !(id == CUSTOM_SECTION && section_name(content)? == b"name") {
            kept.extend_from_slice(&rest[..rest.len() - next.len()]);
        }
        rest = next;
    }
    Ok(kept)
}

fn section_name(content: &[u8]) -> anyhow::Result<&[u8]> {
    let (length, name) = read_number(content)?;
    name.get(..length).context("a section's name ends too early")
}

/// An unsigned LEB128 number of at most 32 bits, and the bytes after it.
fn read_number(bytes: &[u8]) -> anyhow::Result<(usize, &[u8])> {
    let mut number = 0;
    for (place, &byte) in bytes.iter().enumerate().take(5) {
        number |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok((number, &bytes[place + 1..]));
        }
    }
    anyhow::bail!("a number in the module does not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(sections: &[&[u8]]) -> Vec<u8> {
        [HEADER.to_vec(), sections.concat()].concat()
    }

    #[test]
    fn only_names_go() {
        let (types, other, names) =
            (&[1, 1, 0][..], &[0, 4, 2, b'a', b'b', 9][..], &[0, 6, 4, b'n', b'a', b'm', b'e', 7][..]);
        assert_eq!(without_names(&module(&[types, names, other])).unwrap(), module(&[types, other]));
        assert_eq!(without_names(&module(&[])).unwrap(), module(&[]));
    }

    #[test]
    fn what_is_cut_short_is_an_error() {
        assert!(without_names(b"\0asm").is_err());
        assert!(without_names(&module(&[&[1, 9, 0]])).is_err());
        assert!(without_names(&module(&[&[1, 0xff, 0xff, 0xff, 0xff, 0xff, 1]])).is_err());
        assert!(without_names(&module(&[&[0, 1, 5]])).is_err());
    }
}
