//! A PPM or PGM frame of a stream: its header says how long it is.

use std::io::{BufRead, Read as _};

use mien_models::picture::check_size;

use crate::fault::Fault;

/// Longer headers are not written by anybody: they would be comments.
const MAX_HEADER: usize = 4_096;

/// Reads the rest of a frame whose first two bytes, `magic`, are taken. An error in the header is the end of the
/// stream, since nobody knows where the next frame begins.
pub(crate) fn read(magic: [u8; 2], input: &mut impl BufRead) -> Result<Vec<u8>, Fault> {
    let mut frame = magic.to_vec();
    let [width, height, most] =
        [number(&mut frame, input)?, number(&mut frame, input)?, number(&mut frame, input)?];
    check_size(width, height)?;
    let channels = if magic == *b"P6" { 3 } else { 1 };
    let depth = if most > 255 { 2 } else { 1 };
    let bytes = u64::from(width) * u64::from(height) * channels * depth;
    frame.reserve_exact(bytes as usize);
    let read = input.take(bytes).read_to_end(&mut frame)?;
    if read as u64 == bytes { Ok(frame) } else { Err(Fault::CutOff) }
}

/// The next number and the one white space after it, which are copied to `frame`.
fn number(frame: &mut Vec<u8>, input: &mut impl BufRead) -> Result<u32, Fault> {
    let mut value = None::<u32>;
    loop {
        let mut byte = [0];
        input.read_exact(&mut byte)?;
        frame.push(byte[0]);
        if frame.len() > MAX_HEADER {
            return Err(Fault::Garbled("its header does not end"));
        }
        match (byte[0], value) {
            (digit @ b'0'..=b'9', _) => {
                let more = value
                    .unwrap_or(0)
                    .checked_mul(10)
                    .and_then(|tens| tens.checked_add(u32::from(digit - b'0')));
                value = Some(more.ok_or(Fault::Garbled("a number in its header is too large"))?);
            }
            (b'#', None) => {
                let room = MAX_HEADER as u64;
                input.take(room).read_until(b'\n', frame)?;
            }
            (space, Some(value)) if space.is_ascii_whitespace() => return Ok(value),
            (space, None) if space.is_ascii_whitespace() => {}
            _ => return Err(Fault::Garbled("its header holds something that is no number")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_after(bytes: &[u8]) -> (Result<Vec<u8>, Fault>, &[u8]) {
        let mut input = &bytes[2..];
        (read([bytes[0], bytes[1]], &mut input), input)
    }

    #[test]
    fn a_frame_is_as_long_as_its_header_says() {
        for (frame, rest) in [
            (&b"P6\n1 1\n255\nabc"[..], &b"P6 more"[..]),
            (b"P6 # made by nobody\n2 1 255 abcdef", b""),
            (b"P5\n2 2\n255\nabcd", b"P5"),
            (b"P5\n1 1\n65535\n\0\x01", b"x"),
        ] {
            let stream = [frame, rest].concat();
            let (read, left) = read_after(&stream);
            assert_eq!((&*read.expect("a frame"), left), (frame, rest));
        }
    }

    #[test]
    fn what_is_no_frame_is_told() {
        for (bytes, why) in [
            (&b"P6\n2 2\n255\nabc"[..], "ends too early"),
            (b"P6\n2", "ends too early"),
            (b"P6\nx", "is damaged: its header holds"),
            (b"P6\n99999999999 1\n255\n", "is damaged: a number"),
            (b"P6\n60000 60000\n255\n", "is too large: 60000"),
        ] {
            let said = read_after(bytes).0.expect_err("no frame").line();
            assert!(said.starts_with(why), "{said}");
        }
        let endless = [&b"P6\n#"[..], &[b'x'; 3 * MAX_HEADER]].concat();
        assert!(read_after(&endless).0.is_err());
    }
}
