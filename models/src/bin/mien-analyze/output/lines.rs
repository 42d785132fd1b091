//! NDJSON: one object a picture.

use std::io;

use mien_shared::Face;
use serde::Serialize;

use crate::report::Report;

/// What every line begins with.
pub(crate) const BEGINNING: &str = "{\"file\":\"";

#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_ms: Option<u64>,
    faces: Vec<&'a Face>,
    #[serde(skip_serializing_if = "Option::is_none")]
    neutral_looks: Option<u32>,
}

pub(crate) fn append(report: &Report, record: &mut Vec<u8>) -> io::Result<()> {
    let line = Line {
        file: &report.file,
        frame: report.moment.map(|moment| moment.frame),
        media_ms: report.moment.and_then(|moment| moment.media_ms),
        faces: report.faces.iter().map(|seen| &seen.face).collect(),
        neutral_looks: report.neutral_looks,
    };
    serde_json::to_writer(&mut *record, &line)?;
    record.push(b'\n');
    Ok(())
}
