//! Reads an earlier CSV, in Mien's columns or in Py-Feat's.

use std::io::BufRead;

use csv::{ByteRecord, ReaderBuilder};

use super::earlier::{Earlier, ResumeError};
use crate::output::cells::unmarked;
use crate::output::format::Format;
use crate::output::{fex, table};

/// The rows of one picture.
struct Group {
    name: String,
    /// The last face's, or the picture's.
    number: Option<u64>,
    starts_at: u64,
}

/// What the file is known to hold.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub(super) format: Format,
    /// How many cells the header has.
    pub(super) columns: usize,
    pub(super) bytes: u64,
    /// Whether it ends with a line's end.
    pub(super) ends: bool,
}

/// If the last row is torn, all rows of its picture count as torn: some of its faces are missing.
pub(super) fn read(file: impl BufRead, known: Rows) -> Result<Earlier, ResumeError> {
    let mut rows = ReaderBuilder::new().flexible(true).from_reader(file);
    let mut row = ByteRecord::new();
    let mut earlier = Earlier::default();
    let mut group: Option<Group> = None;
    let mut torn = !known.ends;
    let mut short = None;
    while rows.read_byte_record(&mut row).map_err(std::io::Error::from)? {
        if let Some(line) = short {
            return Err(ResumeError::Line {
                line,
                cause: "it has not as many cells as the header".to_owned(),
            });
        }
        let (starts_at, line) = row.position().map_or((0, 0), |position| (position.byte(), position.line()));
        short = (row.len() != known.columns).then_some(line);
        let is_torn = short.is_some() || (!known.ends && rows.position().byte() == known.bytes);
        torn |= is_torn;
        let (name, number) = known.identity(&row);
        match (&mut group, name) {
            (Some(group), name) if known.continues(group, name, number, is_torn) => group.number = number,
            (_, name) => {
                let name = name.unwrap_or_default().to_owned();
                let next = Group { name, number, starts_at };
                known.close(&mut earlier, group.replace(next));
            }
        }
    }
    match group {
        Some(group) if torn => earlier.whole_bytes = group.starts_at,
        group => {
            known.close(&mut earlier, group);
            earlier.whole_bytes = known.bytes;
        }
    }
    Ok(earlier)
}

impl Rows {
    /// The picture's name, if the row is not torn before its end, and the number that tells it from the next one.
    fn identity(self, row: &ByteRecord) -> (Option<&str>, Option<u64>) {
        let (name, number) = match self.format {
            Format::Fex => (fex::INPUT, fex::FRAME),
            Format::Csv | Format::Ndjson => (table::FILE, table::FACE),
        };
        let text = |place: usize| row.get(place).and_then(|cell| std::str::from_utf8(cell).ok());
        (
            text(name).filter(|_| row.len() > name + 1).map(unmarked),
            text(number).and_then(|text| text.parse().ok()),
        )
    }

    fn continues(self, group: &Group, name: Option<&str>, number: Option<u64>, is_torn: bool) -> bool {
        match (name, self.format) {
            (None, _) => true,
            (Some(name), _) if name != group.name => false,
            // Its number may be torn as well.
            _ if is_torn => true,
            (_, Format::Fex) => number == group.number,
            // Without a face there is but one row.
            (_, Format::Csv | Format::Ndjson) => {
                group.number.is_some_and(|last| number.is_some_and(|number| number > last))
            }
        }
    }

    fn close(self, earlier: &mut Earlier, group: Option<Group>) {
        let Some(group) = group else { return };
        earlier.add(&group.name);
        if self.format == Format::Fex {
            let next = group.number.map_or(0, |number| number.saturating_add(1));
            earlier.next_frame = earlier.next_frame.max(next);
        }
    }
}
