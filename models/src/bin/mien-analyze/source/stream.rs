//! The frames of a stream of pictures, as ffmpeg writes one to a pipe. Each is found without being decoded.

use std::io::{BufReader, Read};

use mien_models::picture::is_film;

use super::{jpeg, pnm};
use crate::fault::Fault;

/// A frame's number, from 0, and its bytes.
pub(crate) type Frame = (u64, Result<Vec<u8>, Fault>);

#[derive(Debug)]
pub(crate) struct Stream<R> {
    input: BufReader<R>,
    next: u64,
    state: State,
}

#[derive(Debug, PartialEq)]
enum State {
    Begun,
    Pnm,
    Jpeg,
    /// A frame was no good, and the next one is looked for.
    Lost,
    Ended,
}

impl<R: Read> Stream<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input: BufReader::with_capacity(1 << 16, input), next: 0, state: State::Begun }
    }

    fn frame(&mut self) -> Option<Result<Vec<u8>, Fault>> {
        let magic = match self.magic() {
            Ok(magic) => magic?,
            Err(fault) => return Some(Err(self.ended(fault))),
        };
        let frame = match magic {
            jpeg::START => {
                self.state = State::Jpeg;
                jpeg::read(&mut self.input)
            }
            [b'P', b'5' | b'6'] => {
                self.state = State::Pnm;
                pnm::read(magic, &mut self.input)
            }
            _ => {
                let fault = self.stranger(magic);
                return Some(Err(self.ended(fault)));
            }
        };
        Some(frame.map_err(|fault| match (&self.state, &fault) {
            (State::Jpeg, Fault::Garbled(_) | Fault::TooLong) => {
                self.state = State::Lost;
                fault
            }
            _ => self.ended(fault),
        }))
    }

    fn ended(&mut self, fault: Fault) -> Fault {
        self.state = State::Ended;
        fault
    }

    /// The first two bytes of the next frame; `None` at the end.
    fn magic(&mut self) -> Result<Option<[u8; 2]>, Fault> {
        match self.state {
            State::Ended => return Ok(None),
            // Between two frames there may be what a server sends there.
            State::Jpeg | State::Lost => {
                return Ok(jpeg::skip_to_start(&mut self.input)?.then_some(jpeg::START));
            }
            State::Begun | State::Pnm => {}
        }
        let mut magic = Vec::with_capacity(2);
        (&mut self.input).take(2).read_to_end(&mut magic)?;
        match magic[..] {
            [] => Ok(None),
            [first, second] => Ok(Some([first, second])),
            _ => Err(if self.state == State::Begun { Fault::NoFrame } else { Fault::CutOff }),
        }
    }

    /// What begins in none of the two ways.
    fn stranger(&mut self, magic: [u8; 2]) -> Fault {
        let mut beginning = magic.to_vec();
        match (&mut self.input).take(30).read_to_end(&mut beginning) {
            Ok(_) if self.state == State::Begun && is_film(&beginning) => Fault::Film,
            Ok(_) => Fault::NoFrame,
            Err(fault) => fault.into(),
        }
    }
}

impl<R: Read> Iterator for Stream<R> {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        let frame = self.frame()?;
        self.next += 1;
        Some((self.next - 1, frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PPM: &[u8] = b"P6\n1 1\n255\nabc";
    const JPEG: &[u8] = b"\xFF\xD8\xFF\xDA\0\x02pixels\xFF\xD9";

    /// One byte at a time, as a pipe may.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let most = buffer.len().min(1);
            self.0.read(&mut buffer[..most])
        }
    }

    fn frames(stream: &[u8]) -> Vec<String> {
        let shown = |(number, frame): Frame| match frame {
            Ok(bytes) => format!("{number}: {} bytes", bytes.len()),
            Err(fault) => format!("{number}: {}", fault.line().split(['(', ':']).next().unwrap_or_default()),
        };
        let whole: Vec<_> = Stream::new(stream).map(shown).collect();
        assert_eq!(Stream::new(Drops(stream)).map(shown).collect::<Vec<_>>(), whole);
        whole
    }

    #[test]
    fn frames_are_numbered_from_nought() {
        assert_eq!(frames(&[PPM, PPM].concat()), ["0: 14 bytes", "1: 14 bytes"]);
        assert_eq!(
            frames(&[JPEG, b"--boundary\r\n", JPEG, b"\r\n"].concat()),
            ["0: 14 bytes", "1: 14 bytes"]
        );
        assert!(frames(b"").is_empty());
    }

    #[test]
    fn a_frame_that_is_no_good_is_one_fault_and_the_rest_goes_on_where_it_can() {
        let garbled = b"\xFF\xD8\xFF\xE1\0\0x";
        assert_eq!(frames(&[JPEG, garbled, JPEG].concat()), ["0: 14 bytes", "1: is damaged", "2: 14 bytes"]);
        assert_eq!(frames(&[PPM, &PPM[..12]].concat()), ["0: 14 bytes", "1: ends too early"]);
        assert_eq!(frames(&[PPM, b"P"].concat()), ["0: 14 bytes", "1: ends too early"]);
        assert_eq!(
            frames(&[PPM, b"nothing", PPM].concat())[1..],
            ["1: is neither PPM nor JPEG, as ffmpeg writes them with -f image2pipe and -c"]
        );
        assert_eq!(frames(b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2"), ["0: is a film"]);
    }
}
