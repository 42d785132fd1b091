//! What an earlier run has written.

use std::collections::HashMap;
use std::io;

/// Pictures that need not be read again.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Earlier {
    /// How many bytes hold whole pictures; what follows is torn.
    pub(crate) whole_bytes: u64,
    pub(crate) pictures: usize,
    /// What Py-Feat's next picture is numbered.
    pub(crate) next_frame: u64,
    /// How often each was read: what is named twice is read twice.
    names: HashMap<String, usize>,
}

impl Earlier {
    pub(super) fn add(&mut self, name: &str) {
        self.pictures += 1;
        *self.names.entry(name.to_owned()).or_default() += 1;
    }

    /// Whether this picture has been read, one time more than was asked for before.
    pub(crate) fn has_read(&mut self, name: &str) -> bool {
        match self.names.get_mut(name) {
            Some(times) if *times > 0 => {
                *times -= 1;
                true
            }
            _ => false,
        }
    }
}

/// Why a file cannot be continued. Printed after its name.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResumeError {
    #[error("cannot be opened: {0}")]
    Unopened(#[source] io::Error),
    #[error("cannot be read: {0}")]
    Unread(#[from] io::Error),
    #[error("is not a file")]
    NoFile,
    #[error("is being written by another run")]
    Busy,
    #[error("was not begun with this --format and these options, and is left as it is")]
    Foreign,
    #[error("line {line} is no result of mien-analyze: {cause}")]
    Line { line: u64, cause: String },
}
