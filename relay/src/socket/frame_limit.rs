//! Limits incoming messages, frame by frame, before the WebSocket library allocates memory for them.
//!
//! tungstenite (0.29) has one limit for all messages, which cannot be changed on a live connection, and allocates as
//! much as the header of a frame announces. So no peer may announce much before its hello is verified. This also tracks
//! whether a message has begun and is incomplete, which the library does not report.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// Of a frame: two bytes, a length of up to eight, a mask of four.
const MAX_HEADER: usize = 14;

/// A message is larger than allowed, or would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message is too large")]
pub(super) struct TooLarge;

/// Maximum message size in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct MessageLimits {
    /// Of the first.
    pub(super) first: usize,
    /// Of any other.
    pub(super) other: usize,
}

/// A stream whose incoming frames are limited.
#[derive(Debug)]
pub(super) struct FrameLimited<S> {
    inner: S,
    frames: FrameParser,
    /// Since when a message is incomplete.
    incomplete: Option<Instant>,
}

impl<S> FrameLimited<S> {
    pub(super) fn new(inner: S, sizes: MessageLimits) -> Self {
        Self { inner, frames: FrameParser::new(sizes), incomplete: None }
    }

    /// Since when a message has been incomplete, pings and pongs apart.
    pub(super) fn incomplete_since(&self) -> Option<Instant> {
        self.incomplete
    }

    fn count(&mut self, bytes: &[u8]) -> Result<(), TooLarge> {
        let finished = self.frames.count(bytes)?;
        if finished {
            self.incomplete = None;
        }
        if !self.frames.is_at_rest() {
            // The clock is read at most once per message, and never for one that arrives in one read.
            self.incomplete.get_or_insert_with(Instant::now);
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for FrameLimited<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(task, buffer))?;
        Poll::Ready(this.count(&buffer.filled()[before..]).map_err(io::Error::other))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FrameLimited<S> {
    fn poll_write(self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(task, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(task)
    }

    fn poll_shutdown(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(task)
    }
}

/// A stream's position within its frames. The library reports what is wrong with a frame.
#[derive(Debug)]
struct FrameParser {
    sizes: MessageLimits,
    /// Whether the first message is complete.
    past_first: bool,
    /// A header that is incomplete.
    head: [u8; MAX_HEADER],
    have: usize,
    /// Of a frame whose header is complete: bytes yet to come, and whether its message ends with it.
    left: u64,
    ends: bool,
    /// Bytes of a message that has begun, as its frames announced them.
    message: u64,
    begun: bool,
}

impl FrameParser {
    fn new(sizes: MessageLimits) -> Self {
        Self {
            sizes,
            past_first: false,
            head: [0; MAX_HEADER],
            have: 0,
            left: 0,
            ends: false,
            message: 0,
            begun: false,
        }
    }

    /// Whether nothing is incomplete.
    fn is_at_rest(&self) -> bool {
        self.have == 0 && self.left == 0 && !self.begun
    }

    /// Whether the bytes completed a message.
    fn count(&mut self, mut bytes: &[u8]) -> Result<bool, TooLarge> {
        let mut finished = false;
        while !bytes.is_empty() {
            if self.left > 0 {
                let taken = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
                self.left -= taken as u64;
                bytes = &bytes[taken..];
            } else {
                self.head[self.have] = bytes[0];
                self.have += 1;
                bytes = &bytes[1..];
                if self.have < 2 || self.have < head_length(self.head[1]) {
                    continue;
                }
                self.begin_frame()?;
            }
            if self.left == 0 && std::mem::take(&mut self.ends) {
                self.past_first = true;
                self.message = 0;
                self.begun = false;
                finished = true;
            }
        }
        Ok(finished)
    }

    /// The header of a frame is complete.
    fn begin_frame(&mut self) -> Result<(), TooLarge> {
        self.have = 0;
        let [first, second, ..] = self.head;
        let length = match second & 0x7f {
            126 => u64::from(u16::from_be_bytes([self.head[2], self.head[3]])),
            127 => {
                let mut length = [0; 8];
                length.copy_from_slice(&self.head[2..10]);
                u64::from_be_bytes(length)
            }
            short => u64::from(short),
        };
        let is_control = first & 0x08 != 0;
        let announced = if is_control { length } else { self.message.saturating_add(length) };
        let most = if self.past_first { self.sizes.other } else { self.sizes.first };
        if announced > most as u64 {
            return Err(TooLarge);
        }
        self.left = length;
        if !is_control {
            self.message = announced;
            self.begun = true;
            self.ends = first & 0x80 != 0;
        }
        Ok(())
    }
}

fn head_length(second: u8) -> usize {
    let length = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    2 + length + if second & 0x80 == 0 { 0 } else { 4 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt as _;

    const SIZES: MessageLimits = MessageLimits { first: 200, other: 70_000 };
    const TEXT: u8 = 0x81;
    const TEXT_BEGINS: u8 = 0x01;
    const GOES_ON: u8 = 0x00;
    const ENDS: u8 = 0x80;
    const PING: u8 = 0x89;

    fn frame(first: u8, length: usize) -> Vec<u8> {
        let mut frame = vec![first];
        match length {
            0..126 => frame.push(0x80 | length as u8),
            126..65_536 => {
                frame.push(0xfe);
                frame.extend((length as u16).to_be_bytes());
            }
            _ => {
                frame.push(0xff);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.resize(frame.len() + length, b'x');
        frame
    }

    /// However the bytes are split: the result, and whether a message is left unfinished.
    fn outcome(bytes: &[u8]) -> (Result<(), TooLarge>, bool) {
        let by = |size: usize| {
            let mut frames = FrameParser::new(SIZES);
            let counted = bytes.chunks(size).try_for_each(|chunk| frames.count(chunk).map(drop));
            (counted, !frames.is_at_rest())
        };
        let whole = by(usize::MAX);
        for size in [1, 2, 3, 7, 64] {
            assert_eq!(by(size).0, whole.0, "by {size}");
            if whole.0.is_ok() {
                assert_eq!(by(size), whole, "by {size}");
            }
        }
        whole
    }

    #[test]
    fn the_first_message_is_smaller_than_the_others_may_be() {
        assert_eq!(outcome(&frame(TEXT, 200)), (Ok(()), false));
        assert_eq!(outcome(&frame(TEXT, 201)).0, Err(TooLarge));
        let then = |length| [frame(TEXT, 20), frame(TEXT, length), frame(TEXT, 5)].concat();
        assert_eq!(outcome(&then(70_000)), (Ok(()), false));
        assert_eq!(outcome(&then(70_001)).0, Err(TooLarge));
        // Before a byte of it came.
        assert_eq!(outcome(&frame(TEXT, 70_000)[..14]).0, Err(TooLarge));
        assert_eq!(
            outcome(&[TEXT, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]).0,
            Err(TooLarge)
        );
    }

    #[test]
    fn fragments_add_up_and_pings_between_them_do_not() {
        let parts = |last| {
            [frame(TEXT_BEGINS, 100), frame(PING, 120), frame(GOES_ON, 50), frame(PING, 0), frame(ENDS, last)]
                .concat()
        };
        assert_eq!(outcome(&parts(50)), (Ok(()), false));
        assert_eq!(outcome(&parts(51)).0, Err(TooLarge));
        assert_eq!(outcome(&[parts(50), frame(TEXT, 60_000)].concat()), (Ok(()), false));
        // A ping is no message, so the first one is yet to come.
        assert_eq!(outcome(&[frame(PING, 4), frame(TEXT, 201)].concat()).0, Err(TooLarge));
    }

    #[test]
    fn what_has_begun_and_is_not_whole_is_unfinished() {
        for unfinished in
            [&[TEXT][..], &frame(TEXT, 10)[..9], &frame(TEXT_BEGINS, 10), &frame(TEXT_BEGINS, 0), &[PING]]
        {
            assert_eq!(outcome(unfinished), (Ok(()), true), "{unfinished:?}");
        }
        assert_eq!(outcome(&[frame(TEXT_BEGINS, 10), frame(PING, 3)].concat()), (Ok(()), true));
        assert_eq!(outcome(&[]), (Ok(()), false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_counts_from_its_own_beginning() {
        let (mut peer, ours) = tokio::io::duplex(1_024);
        let mut limited = FrameLimited::new(ours, SIZES);
        let mut read = async |bytes: &[u8]| {
            tokio::io::AsyncWriteExt::write_all(&mut peer, bytes).await.unwrap();
            let mut buffer = vec![0; bytes.len()];
            limited.read_exact(&mut buffer).await.unwrap();
            limited.incomplete_since().map(|since| since.elapsed().as_secs())
        };
        assert_eq!(read(&frame(TEXT, 10)).await, None);
        assert_eq!(read(&frame(TEXT_BEGINS, 10)).await, Some(0));
        tokio::time::advance(std::time::Duration::from_secs(5)).await;
        assert_eq!(read(&frame(PING, 3)).await, Some(5), "a ping does not extend it");
        assert_eq!(read(&[frame(ENDS, 1), frame(TEXT_BEGINS, 1)].concat()).await, Some(0), "the next one");
        assert_eq!(read(&frame(ENDS, 1)).await, None);
    }
}
