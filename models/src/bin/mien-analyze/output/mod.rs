//! What was found, as NDJSON, as CSV or in Py-Feat's columns.

pub(crate) mod cells;
pub(crate) mod fex;
pub(crate) mod format;
pub(crate) mod lines;
pub(crate) mod sink;
pub(crate) mod table;

use std::io;

use crate::report::Report;
use format::{Format, Layout};
use sink::Sink;

#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
    layout: Layout,
    sink: Sink,
    /// What Py-Feat's next picture is numbered.
    next: u64,
    /// One picture's, reused.
    record: Vec<u8>,
}

impl Output {
    /// Continues what was begun earlier.
    pub(crate) const fn continued(format: Format, layout: Layout, sink: Sink, next: u64) -> Self {
        Self { format, layout, sink, next, record: Vec::new() }
    }

    /// Begins with the header, if there is one.
    pub(crate) fn begun(format: Format, layout: Layout, mut sink: Sink) -> io::Result<Self> {
        if let Some(header) = header(format, layout) {
            sink.write(header.as_bytes())?;
        }
        Ok(Self::continued(format, layout, sink, 0))
    }

    pub(crate) fn write(&mut self, report: &Report) -> io::Result<()> {
        let (origin, record) = (self.layout.origin, &mut self.record);
        record.clear();
        match self.format {
            Format::Ndjson => lines::append(report, record)?,
            Format::Csv => table::append_rows(report, self.layout, record),
            Format::Fex => {
                let frame = report.moment.map_or(self.next, |moment| moment.frame);
                fex::append_rows(report, origin, frame, record);
            }
        }
        self.next += 1;
        self.sink.write(record)
    }

    pub(crate) fn finish(self) -> io::Result<()> {
        self.sink.finish()
    }
}

/// The first line, with its end.
pub(crate) fn header(format: Format, layout: Layout) -> Option<String> {
    let names = match format {
        Format::Ndjson => return None,
        Format::Csv => table::header(layout),
        Format::Fex => fex::header(layout),
    };
    Some(names.join(",") + "\n")
}

#[cfg(test)]
mod tests {
    use mien_shared::{Expression, Face, Scores};

    use super::*;
    use crate::output::format::Origin;
    use crate::report::{Moment, Seen};

    fn face() -> Seen {
        let scores = Scores([0.25, 0.0, 0.0, 0.0, 0.75, 0.0, 0.0]);
        let face = Face::new(3, [0.5, 0.25, 0.125, 0.5].into(), Some(Expression::Fear), scores);
        Seen { face, certainty: Some(0.5) }
    }

    fn report(file: &str, faces: Vec<Seen>) -> Report {
        Report { file: file.to_owned(), moment: None, size: [64, 32], faces, neutral_looks: None }
    }

    const FILES: Layout = Layout { landmarks: false, neutral_looks: None, origin: Origin::Files };

    #[test]
    fn text_is_in_quotes_and_numbers_are_not() {
        let mut rows = Vec::new();
        table::append_rows(&report("007", vec![face()]), FILES, &mut rows);
        table::append_rows(&report("a \"b\",\nc", Vec::new()), FILES, &mut rows);
        let rows = String::from_utf8(rows).unwrap();
        assert_eq!(
            rows,
            "\"007\",3,0.5,0.25,0.125,0.5,\"fear\",0.25,0,0,0,0.75,0,0,\n\"a \"\"b\"\",\nc\",,,,,,,,,,,,,,\n"
        );
        let text = header(Format::Csv, FILES).unwrap() + &rows;
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        let files: Vec<_> = rows.records().map(|row| row.unwrap()[0].to_owned()).collect();
        assert_eq!(files, ["007", "a \"b\",\nc"]);
    }

    #[test]
    fn py_feats_columns_have_its_names_its_order_and_pixels() {
        let header = header(Format::Fex, FILES).unwrap();
        assert_eq!(
            header,
            "FaceRectX,FaceRectY,FaceRectWidth,FaceRectHeight,FaceScore,anger,disgust,fear,happiness,sadness,\
             surprise,neutral,FrameHeight,FrameWidth,input,frame\n"
        );
        let names: Vec<&str> = header.trim_end().split(',').collect();
        assert_eq!((names[fex::INPUT], names[fex::FRAME]), ("input", "frame"));
        let mut rows = Vec::new();
        fex::append_rows(&report("a.png", vec![face(), face()]), Origin::Files, 7, &mut rows);
        fex::append_rows(&report("b.png", Vec::new()), Origin::Files, 8, &mut rows);
        let row = "32,8,8,16,0.5,0,0,0.75,0,0,0,0.25,32,64,\"a.png\",7\n";
        assert_eq!(String::from_utf8(rows).unwrap(), format!("{row}{row},,,,,,,,,,,,32,64,\"b.png\",8\n"));
    }

    #[test]
    fn a_stream_has_frames_and_times() {
        let moment = Some(Moment { frame: 12, media_ms: Some(480) });
        let report = Report { moment, ..report("clip", vec![face()]) };
        let layout = Layout { origin: Origin::FollowedFilm, ..FILES };
        let mut rows = header(Format::Csv, layout).unwrap().into_bytes();
        table::append_rows(&report, layout, &mut rows);
        rows.extend(header(Format::Fex, layout).unwrap().into_bytes());
        fex::append_rows(&report, layout.origin, 12, &mut rows);
        lines::append(&report, &mut rows).unwrap();
        let text = String::from_utf8(rows).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].ends_with(",quality,frame,media_ms") && lines[1].ends_with(",,12,480"), "{text}");
        assert!(lines[2].ends_with(",frame,media_ms,Identity"), "{text}");
        assert!(lines[3].ends_with(",\"clip\",12,480,\"Person_3\""), "{text}");
        assert!(
            lines[4].starts_with("{\"file\":\"clip\",\"frame\":12,\"media_ms\":480,\"faces\":[{"),
            "{text}"
        );
    }
}
