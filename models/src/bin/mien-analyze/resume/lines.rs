//! Reads an earlier NDJSON.

use std::io::{BufRead, Read as _};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::earlier::{Earlier, ResumeError};

/// The longest line that is read: thousands of faces.
const MAX_LINE: u64 = 64 * 1024 * 1024;

#[derive(Deserialize)]
struct Line {
    file: String,
    #[allow(dead_code, reason = "a line without faces is not ours")]
    faces: IgnoredAny,
    neutral_looks: Option<u32>,
}

/// A last line without an end is torn.
pub(super) fn read(mut file: impl BufRead, neutral_looks: Option<u32>) -> Result<Earlier, ResumeError> {
    let mut earlier = Earlier::default();
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        file.by_ref().take(MAX_LINE).read_until(b'\n', &mut bytes)?;
        if bytes.len() as u64 == MAX_LINE {
            return Err(ResumeError::Line { line: number, cause: "it does not end".to_owned() });
        }
        let Some(text) = bytes.strip_suffix(b"\n") else { break };
        earlier.whole_bytes += bytes.len() as u64;
        if text.trim_ascii().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_slice(text)
            .map_err(|fault| ResumeError::Line { line: number, cause: fault.to_string() })?;
        if line.neutral_looks != neutral_looks {
            return Err(ResumeError::Foreign);
        }
        earlier.add(&line.file);
    }
    Ok(earlier)
}
