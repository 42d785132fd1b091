//! A JPEG frame of a stream: it has no length, so its segments are followed to the end.

use std::io::{BufRead, Read as _};

use crate::fault::{Fault, MAX_FRAME_BYTES};

/// How every JPEG begins.
pub(crate) const START: [u8; 2] = [0xFF, 0xD8];
const END: u8 = 0xD9;
const SCAN: u8 = 0xDA;

/// Reads the rest of a frame whose first two bytes are taken.
pub(crate) fn read(input: &mut impl BufRead) -> Result<Vec<u8>, Fault> {
    let mut frame = START.to_vec();
    let mut marker = next_marker(&mut frame, input)?;
    loop {
        match marker {
            END => return Ok(frame),
            // They stand alone.
            0x01 | 0xD0..=0xD7 => marker = next_marker(&mut frame, input)?,
            _ => {
                segment(&mut frame, input)?;
                marker = if marker == SCAN {
                    scanned(&mut frame, input)?
                } else {
                    next_marker(&mut frame, input)?
                };
            }
        }
        if frame.len() > MAX_FRAME_BYTES {
            return Err(Fault::TooLong);
        }
    }
}

/// Skips to the next frame, and over its first two bytes. False at the end of the stream.
pub(crate) fn skip_to_start(input: &mut impl BufRead) -> Result<bool, Fault> {
    let mut last = 0;
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(false);
        }
        let mut taken = 0;
        for &byte in buffer {
            taken += 1;
            if [last, byte] == START {
                input.consume(taken);
                return Ok(true);
            }
            last = byte;
        }
        input.consume(taken);
    }
}

fn next_marker(frame: &mut Vec<u8>, input: &mut impl BufRead) -> Result<u8, Fault> {
    if byte(frame, input)? != 0xFF {
        return Err(Fault::Garbled("a part of it does not begin as one"));
    }
    loop {
        match byte(frame, input)? {
            // As many as one likes may come before a marker.
            0xFF => {}
            0 => return Err(Fault::Garbled("a part of it does not begin as one")),
            marker => return Ok(marker),
        }
        if frame.len() > MAX_FRAME_BYTES {
            return Err(Fault::TooLong);
        }
    }
}

fn segment(frame: &mut Vec<u8>, input: &mut impl BufRead) -> Result<(), Fault> {
    let length = u16::from_be_bytes([byte(frame, input)?, byte(frame, input)?]);
    let rest = u64::from(length).checked_sub(2).ok_or(Fault::Garbled("a part of it has no length"))?;
    let read = input.take(rest).read_to_end(frame)?;
    if read as u64 == rest { Ok(()) } else { Err(Fault::CutOff) }
}

/// Reads coded pixels up to the marker that ends them, which is returned.
fn scanned(frame: &mut Vec<u8>, input: &mut impl BufRead) -> Result<u8, Fault> {
    loop {
        let room = (MAX_FRAME_BYTES + 1).saturating_sub(frame.len()) as u64;
        input.take(room).read_until(0xFF, frame)?;
        if frame.len() > MAX_FRAME_BYTES {
            return Err(Fault::TooLong);
        }
        if frame.last() != Some(&0xFF) {
            return Err(Fault::CutOff);
        }
        let mut marker = byte(frame, input)?;
        while marker == 0xFF && frame.len() <= MAX_FRAME_BYTES {
            marker = byte(frame, input)?;
        }
        // An escaped pixel, or the start of the next independent part of the scan.
        if !matches!(marker, 0 | 0xD0..=0xD7) {
            return Ok(marker);
        }
    }
}

fn byte(frame: &mut Vec<u8>, input: &mut impl BufRead) -> Result<u8, Fault> {
    let mut byte = [0];
    input.read_exact(&mut byte)?;
    frame.push(byte[0]);
    Ok(byte[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With a thumbnail in a segment, an escaped byte, a restart and padding.
    const FRAME: &[u8] = b"\xFF\xD8\xFF\xE1\0\x08\xFF\xD8\xFF\xD9ab\xFF\xFF\xDB\0\x03c\
        \xFF\xDA\0\x02pix\xFF\0els\xFF\xD0more\xFF\xDA\0\x02second\xFF\xD9";

    #[test]
    fn a_frame_ends_where_its_last_scan_does() {
        let stream = [FRAME, FRAME, b"rest"].concat();
        let mut input = &stream[2..];
        assert_eq!(read(&mut input).expect("a frame"), FRAME);
        assert!(skip_to_start(&mut input).expect("it reads"));
        assert_eq!((&*read(&mut input).expect("a frame"), input), (FRAME, &b"rest"[..]));
        assert!(!skip_to_start(&mut input).expect("it reads"));
    }

    #[test]
    fn a_frame_that_is_cut_anywhere_is_told() {
        for end in 2..FRAME.len() {
            let cut = read(&mut &FRAME[2..end]);
            assert!(matches!(cut, Err(Fault::CutOff)), "{end}: {cut:?}");
        }
        for garbled in [&b"abc"[..], b"\xFF\0", b"\xFF\xE1\0\x01a"] {
            let fault = read(&mut &garbled[..]);
            assert!(matches!(fault, Err(Fault::Garbled(_))), "{fault:?}");
        }
    }

    #[test]
    fn a_frame_that_does_not_end_fills_no_memory() {
        let endless = std::io::repeat(b'x').take(4 * MAX_FRAME_BYTES as u64);
        let mut input = std::io::BufReader::new(b"\xFF\xDA\0\x02".chain(endless));
        assert!(matches!(read(&mut input), Err(Fault::TooLong)));
    }
}
