//! Where results go.

use std::fs::File;
use std::io::{self, StdoutLock, Write as _};

#[derive(Debug)]
pub(crate) enum Sink {
    Stdout(StdoutLock<'static>),
    Kept(Kept),
}

/// A file that an interrupted run is continued in.
#[derive(Debug)]
pub(crate) struct Kept {
    file: File,
    /// Up to the end of the last picture.
    length: u64,
}

impl Kept {
    /// What is in the file after `length` is not wanted, and its end is where to write.
    pub(crate) const fn new(file: File, length: u64) -> Self {
        Self { file, length }
    }
}

impl Sink {
    pub(crate) fn stdout() -> Self {
        Self::Stdout(io::stdout().lock())
    }

    /// All of a picture or, where the disk is full, nothing of it. Whoever reads from a pipe sees each picture as soon
    /// as it is done.
    pub(crate) fn write(&mut self, record: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout(out) => {
                out.write_all(record)?;
                out.flush()
            }
            Self::Kept(kept) => match kept.file.write_all(record) {
                Ok(()) => {
                    kept.length += record.len() as u64;
                    Ok(())
                }
                Err(error) => {
                    // If this fails as well, the torn end is mended when the run is continued.
                    let _ = kept.file.set_len(kept.length);
                    Err(error)
                }
            },
        }
    }

    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Self::Stdout(mut out) => out.flush(),
            // Some disks say only now that they are full.
            Self::Kept(kept) => kept.file.sync_all(),
        }
    }
}
