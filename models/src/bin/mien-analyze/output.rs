//! What was found, as NDJSON or CSV.
//!
//! In CSV, text is quoted and numbers are not: a file may be called `007` or `null`, and a reader that respects quotes
//! can tell the difference. Text that a spreadsheet would take for a formula, whether quoted or not, is prefixed with
//! `'`.

use std::io::Write;

use mien_shared::{Expression, Face};
use serde::Serialize;

use crate::landmarks;

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
    /// The number of looks behind the neutral face that the faces were compared with; absent if none was known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) neutral_looks: Option<u32>,
}

/// Which columns a table has besides those that it always has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Columns {
    pub(crate) landmarks: bool,
    /// The same for every report.
    pub(crate) neutral_looks: Option<u32>,
}

pub(crate) enum Writer<W: Write> {
    Ndjson(W),
    Csv(Box<csv::Writer<W>>, Columns),
}

impl<W: Write> Writer<W> {
    pub(crate) fn new(format: Format, columns: Columns, out: W) -> anyhow::Result<Self> {
        Ok(match format {
            Format::Ndjson => Self::Ndjson(out),
            Format::Csv => {
                // The default style leaves `007` unquoted, and there is no style for a single column.
                let mut rows = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Never).from_writer(out);
                let before = ["file", "face", "left", "top", "width", "height", "expression"];
                rows.write_record(
                    before
                        .into_iter()
                        .chain(Expression::ALL.map(Expression::name))
                        .chain(["quality"])
                        .chain(columns.landmarks.then(landmarks::columns).into_iter().flatten())
                        .chain(columns.neutral_looks.map(|_| "neutral_looks")),
                )?;
                Self::Csv(Box::new(rows), columns)
            }
        })
    }

    pub(crate) fn write(&mut self, report: &Report) -> anyhow::Result<()> {
        match self {
            Self::Ndjson(out) => {
                serde_json::to_writer(&mut *out, report)?;
                out.write_all(b"\n")?;
                // Someone reading from a pipe sees each picture as soon as it is done.
                out.flush()?;
            }
            Self::Csv(rows, columns) => {
                for face in &report.faces {
                    rows.write_record(row(report, face, *columns))?;
                }
                if report.faces.is_empty() {
                    let landmarks = if columns.landmarks { landmarks::COUNT } else { 0 };
                    let more = landmarks + usize::from(report.neutral_looks.is_some());
                    let empty = std::iter::repeat_n("", 6 + Expression::COUNT + 1 + more);
                    rows.write_record(std::iter::once(quoted(&report.file).as_str()).chain(empty))?;
                }
                rows.flush()?;
            }
        }
        Ok(())
    }

    pub(crate) fn flush(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Ndjson(out) => out.flush()?,
            Self::Csv(rows, _) => rows.flush()?,
        }
        Ok(())
    }
}

/// What a formula begins with, and what spreadsheets skip on the way to it, as OWASP lists them under *CSV Injection*;
/// and the quote mark itself, so that removing one mark always gives back the original text.
const DEFUSED: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠', '\''];

fn quoted(text: &str) -> String {
    let mark = if text.starts_with(DEFUSED) { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

fn row(report: &Report, face: &Face, columns: Columns) -> Vec<String> {
    let bounds: [f32; 4] = face.bounds.into();
    let mut row = vec![quoted(&report.file), face.id.to_string()];
    row.extend(bounds.map(|side| side.to_string()));
    row.push(face.expression.map_or_else(String::new, |expression| quoted(expression.name())));
    row.extend(face.scores.0.map(|score| score.to_string()));
    row.push(face.quality.map_or_else(String::new, |quality| quality.to_string()));
    if columns.landmarks {
        row.extend(landmarks::cells(face));
    }
    row.extend(report.neutral_looks.map(|looks| looks.to_string()));
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use mien_shared::Scores;

    #[test]
    fn no_file_name_is_a_formula_and_each_reads_back() {
        for (name, cell) in [
            ("=1+1.png", "'=1+1.png"),
            ("+1.png", "'+1.png"),
            ("-1.png", "'-1.png"),
            ("@SUM(A1).png", "'@SUM(A1).png"),
            ("\t=1.png", "'\t=1.png"),
            ("\r=1.png", "'\r=1.png"),
            ("＝1.png", "'＝1.png"),
            ("'=1.png", "''=1.png"),
            ("a=1.png", "a=1.png"),
        ] {
            assert_eq!(quoted(name), format!("\"{cell}\""));
            assert_eq!(cell.strip_prefix('\'').unwrap_or(cell), name);
        }
        assert_eq!(quoted("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
    }

    #[test]
    fn text_is_in_quotes_and_numbers_are_not() {
        let face = Face::new(
            3,
            [0.5, 0.25, 0.125, 0.5].into(),
            Some(Expression::Fear),
            Scores([0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]),
        );
        let mut out = Vec::new();
        let mut writer = Writer::new(Format::Csv, Columns::default(), &mut out).unwrap();
        writer.write(&Report { file: "007".to_owned(), faces: vec![face], neutral_looks: None }).unwrap();
        writer
            .write(&Report { file: "a \"b\",\nc".to_owned(), faces: Vec::new(), neutral_looks: None })
            .unwrap();
        drop(writer);
        let text = String::from_utf8(out).unwrap();
        let (_, rows) = text.split_once('\n').unwrap();
        assert_eq!(
            rows,
            "\"007\",3,0.5,0.25,0.125,0.5,\"fear\",0,0,0,0,1,0,0,\n\"a \"\"b\"\",\nc\",,,,,,,,,,,,,,\n"
        );
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        let files: Vec<_> = rows.records().map(|row| row.unwrap()[0].to_owned()).collect();
        assert_eq!(files, ["007", "a \"b\",\nc"]);
    }
}
