//! Where pictures come from: files that were found, or a stream of frames.

mod jpeg;
mod pnm;
mod stream;

use std::io::Stdin;
use std::path::PathBuf;

use crate::fault::Fault;
use stream::Stream;

/// A picture that waits to be read.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) label: Label,
    pub(crate) picture: Picture,
}

#[derive(Debug)]
pub(crate) enum Picture {
    OnDisk(PathBuf),
    InMemory(Vec<u8>),
    /// The stream held something else.
    Unusable(Fault),
}

/// Which picture it is.
#[derive(Debug)]
pub(crate) enum Label {
    File(PathBuf),
    /// A frame of the stream, numbered from 0.
    Frame(u64),
}

#[derive(Debug)]
pub(crate) enum Source {
    Files(std::vec::IntoIter<PathBuf>),
    Stream(Stream<Stdin>),
}

impl Source {
    pub(crate) fn files(files: Vec<PathBuf>) -> Self {
        Self::Files(files.into_iter())
    }

    pub(crate) fn stream(input: Stdin) -> Self {
        Self::Stream(Stream::new(input))
    }
}

impl Iterator for Source {
    type Item = Waiting;

    fn next(&mut self) -> Option<Waiting> {
        match self {
            Self::Files(files) => {
                let path = files.next()?;
                Some(Waiting { label: Label::File(path.clone()), picture: Picture::OnDisk(path) })
            }
            Self::Stream(stream) => {
                let (number, frame) = stream.next()?;
                let picture = frame.map_or_else(Picture::Unusable, Picture::InMemory);
                Some(Waiting { label: Label::Frame(number), picture })
            }
        }
    }
}
