//! What was found, as NDJSON or CSV.

use std::io::Write;

use mien_shared::{Expression, Face};
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// One JSON object a picture
    Ndjson,
    /// One row a face
    Csv,
}

/// The faces of one picture.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) file: String,
    pub(crate) faces: Vec<Face>,
}

pub(crate) enum Writer<W: Write> {
    Ndjson(W),
    Csv(Box<csv::Writer<W>>),
}

impl<W: Write> Writer<W> {
    pub(crate) fn new(format: Format, out: W) -> anyhow::Result<Self> {
        Ok(match format {
            Format::Ndjson => Self::Ndjson(out),
            Format::Csv => {
                let mut rows = csv::Writer::from_writer(out);
                let before = ["file", "face", "left", "top", "width", "height", "expression"];
                rows.write_record(
                    before.into_iter().chain(Expression::ALL.map(Expression::name)).chain(["quality"]),
                )?;
                Self::Csv(Box::new(rows))
            }
        })
    }

    pub(crate) fn write(&mut self, report: &Report) -> anyhow::Result<()> {
        match self {
            Self::Ndjson(out) => {
                serde_json::to_writer(&mut *out, report)?;
                out.write_all(b"\n")?;
                // A reader of a pipe sees each picture when it is done.
                out.flush()?;
            }
            Self::Csv(rows) => {
                for face in &report.faces {
                    rows.write_record(row(&report.file, face))?;
                }
                if report.faces.is_empty() {
                    let empty = std::iter::repeat_n("", 6 + Expression::COUNT + 1);
                    rows.write_record(std::iter::once(report.file.as_str()).chain(empty))?;
                }
                rows.flush()?;
            }
        }
        Ok(())
    }

    pub(crate) fn flush(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Ndjson(out) => out.flush()?,
            Self::Csv(rows) => rows.flush()?,
        }
        Ok(())
    }
}

fn row(file: &str, face: &Face) -> Vec<String> {
    let bounds: [f32; 4] = face.bounds.into();
    let mut row = vec![file.to_owned(), face.id.to_string()];
    row.extend(bounds.map(|side| side.to_string()));
    row.push(face.expression.map_or_else(String::new, |expression| expression.name().to_owned()));
    row.extend(face.scores.0.map(|score| score.to_string()));
    row.push(face.quality.map_or_else(String::new, |quality| quality.to_string()));
    row
}
