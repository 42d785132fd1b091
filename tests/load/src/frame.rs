//! The WebSocket frames (RFC 6455) that a client needs, without the cost of a library: on two cores, the generator
//! takes from the server whatever it uses itself.

use anyhow::{bail, ensure};

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;
/// These values in place of a length mean that two or eight bytes of length follow.
const MEDIUM: u8 = 0x7E;
const LONG: u8 = 0x7F;
/// Any key will do: masking protects proxies, and there are none.
const MASK: [u8; 4] = [0x4d, 0x49, 0x45, 0x4e];

const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

/// What a server sends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    Text(&'a str),
    Ping(&'a [u8]),
    Pong,
    Close(Option<u16>),
}

/// Appends a text frame to the output.
pub(crate) fn write_text(output: &mut Vec<u8>, text: &[u8]) {
    write(output, TEXT, text);
}

pub(crate) fn write_pong(output: &mut Vec<u8>, payload: &[u8]) {
    write(output, PONG, payload);
}

fn write(output: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    output.push(FIN | opcode);
    match payload.len() {
        short @ 0..=125 => output.push(MASKED | short as u8),
        medium @ 126..=0xFFFF => {
            output.push(MASKED | MEDIUM);
            output.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            output.push(MASKED | LONG);
            output.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    output.extend_from_slice(&MASK);
    output.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// Reads one whole frame from the front; returns it with the number of bytes that it took. `None` while it is
/// incomplete.
pub(crate) fn read(input: &[u8]) -> anyhow::Result<Option<(Frame<'_>, usize)>> {
    let [first, second, rest @ ..] = input else { return Ok(None) };
    ensure!(first & FIN != 0, "the server sent a message in parts");
    ensure!(second & MASKED == 0, "the server masked a frame");
    let (length, head) = match second & !MASKED {
        MEDIUM => match rest.first_chunk() {
            Some(bytes) => (usize::from(u16::from_be_bytes(*bytes)), 4),
            None => return Ok(None),
        },
        LONG => match rest.first_chunk() {
            Some(bytes) => (usize::try_from(u64::from_be_bytes(*bytes))?, 10),
            None => return Ok(None),
        },
        short => (usize::from(short), 2),
    };
    let Some(payload) = input.get(head..head + length) else { return Ok(None) };
    let frame = match first & 0x0F {
        TEXT => Frame::Text(std::str::from_utf8(payload)?),
        CLOSE => Frame::Close(payload.first_chunk().map(|code| u16::from_be_bytes(*code))),
        PING => Frame::Ping(payload),
        PONG => Frame::Pong,
        other => bail!("the server sent a frame of kind {other}"),
    };
    Ok(Some((frame, head + length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a server would write it.
    fn server_text(text: &str) -> Vec<u8> {
        let mut masked = Vec::new();
        write_text(&mut masked, text.as_bytes());
        let mask_at = masked.len() - text.len() - 4;
        let mut plain = masked[..mask_at].to_vec();
        plain[1] &= !MASKED;
        plain.extend(masked[mask_at + 4..].iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        plain
    }

    #[test]
    fn frames_of_every_length_read_back() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let text = "x".repeat(length);
            let bytes = server_text(&text);
            assert_eq!(read(&bytes).unwrap(), Some((Frame::Text(&text), bytes.len())), "{length}");
            assert_eq!(read(&bytes[..bytes.len() - 1]).unwrap(), None, "{length}");
        }
        assert_eq!(read(&[]).unwrap(), None);
    }

    #[test]
    fn control_frames_are_told_apart() {
        assert_eq!(read(&[0x89, 1, 7]).unwrap(), Some((Frame::Ping(&[7]), 3)));
        assert_eq!(read(&[0x8A, 0]).unwrap(), Some((Frame::Pong, 2)));
        assert_eq!(read(&[0x88, 2, 3, 0xE8]).unwrap(), Some((Frame::Close(Some(1000)), 4)));
        assert_eq!(read(&[0x88, 0]).unwrap(), Some((Frame::Close(None), 2)));
        assert!(read(&[0x01, 0]).is_err(), "a part of a message");
        assert!(read(&[0x81, 0x80]).is_err(), "masked");
    }
}
